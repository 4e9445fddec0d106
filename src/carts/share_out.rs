//! How a stock that is too small is divided among the carts.

/// Divides `stock` pieces in proportion to what each cart asked for, by the largest remainder method.
///
/// Each cart gets its exact share rounded down. The pieces that are left go, one each, to the carts that lost most by
/// the rounding. Of carts that lost equally, the first in `asked` comes first, so `asked` must be sorted by age, the
/// oldest line first. Example with 9 pieces for carts that asked for 20 in all:
///
/// | asked | exact share | rounded down | lost | result |
/// |---|---|---|---|---|
/// | 7 | 3.15 | 3 | 0.15 | 3 |
/// | 5 | 2.25 | 2 | 0.25 | 2 |
/// | 4 | 1.80 | 1 | 0.80 | 2 |
/// | 3 | 1.35 | 1 | 0.35 | 1 |
/// | 1 | 0.45 | 0 | 0.45 | 1 |
///
/// No cart gets more than it asked for. A cart that asked for more never gets less than one that asked for less. If the
/// stock is enough, all carts get what they asked for. A stock below zero counts as zero.
pub fn share_out(stock: i64, asked: &[u64]) -> Vec<u64> {
    let total: u128 = asked.iter().copied().map(u128::from).sum();
    let stock = u64::try_from(stock).unwrap_or(0);
    if total <= u128::from(stock) {
        return asked.to_vec();
    }
    let (mut shares, remainders): (Vec<u64>, Vec<u128>) =
        asked.iter().map(|&pieces| divide(u128::from(pieces) * u128::from(stock), total)).unzip();
    let mut by_remainder: Vec<usize> = (0..asked.len()).collect();
    // The sort is stable, so carts that lost equally stay in their order.
    by_remainder.sort_by_key(|&cart| std::cmp::Reverse(remainders[cart]));
    let pieces_left = stock - shares.iter().sum::<u64>();
    // There are fewer pieces left than carts with a remainder, so no cart gets two of them.
    for (cart, _piece) in by_remainder.into_iter().zip(0..pieces_left) {
        shares[cart] += 1;
    }
    shares
}

/// Returns quotient and remainder. The quotient is at most the stock, so it fits into 64 bits.
fn divide(dividend: u128, divisor: u128) -> (u64, u128) {
    (u64::try_from(dividend / divisor).unwrap_or(u64::MAX), dividend % divisor)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_largest_remainders_get_what_rounding_left() {
        let carts = [7, 5, 4, 3, 1];
        for (stock, shares) in [
            (25, [7, 5, 4, 3, 1]),
            (20, [7, 5, 4, 3, 1]),
            (15, [5, 4, 3, 2, 1]),
            (9, [3, 2, 2, 1, 1]),
            (4, [1, 1, 1, 1, 0]),
            (2, [1, 1, 0, 0, 0]),
            (0, [0; 5]),
            (-3, [0; 5]),
        ] {
            assert_eq!(share_out(stock, &carts), shares, "stock {stock}");
        }
    }

    #[test]
    fn of_equals_the_older_gets_the_piece() {
        assert_eq!(share_out(1, &[2, 2, 2]), [1, 0, 0]);
        assert_eq!(share_out(5, &[2, 2, 2]), [2, 2, 1]);
        assert_eq!(share_out(1, &[]), [0_u64; 0]);
    }

    proptest! {
        #[test]
        fn shares_are_fair(stock in -5_i64..3_000, asked in prop::collection::vec(0_u64..=999, 0..40)) {
            let shares = share_out(stock, &asked);
            let (available, total) = (u64::try_from(stock).unwrap_or(0), asked.iter().sum::<u64>());
            prop_assert_eq!(shares.iter().sum::<u64>(), total.min(available));
            for (line, (&share, &pieces)) in shares.iter().zip(&asked).enumerate() {
                prop_assert!(share <= pieces && share <= available);
                // The share is within one piece of the exact one. Both sides are multiplied by the total to avoid
                // fractions.
                let exact = pieces * total.min(available);
                prop_assert!((share * total).abs_diff(exact) <= total);
                for (other, &other_pieces) in asked.iter().enumerate() {
                    let comes_later = pieces == other_pieces && line > other;
                    prop_assert!(pieces < other_pieces || share >= shares[other] || comes_later);
                }
            }
        }

        #[test]
        fn no_number_is_too_large(stock in 0_i64.., asked in prop::collection::vec(0_u64..=u64::from(u32::MAX), 1..9)) {
            let shares = share_out(stock, &asked);
            let total: u64 = asked.iter().sum();
            prop_assert_eq!(shares.iter().sum::<u64>(), total.min(u64::try_from(stock).unwrap_or(0)));
        }
    }
}
