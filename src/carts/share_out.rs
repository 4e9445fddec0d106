//! How a stock that doesn't suffice any more is shared out among the carts.

/// Shares `stock` pieces out in proportion to what each cart asked for, by the method of the largest remainder:
/// each gets its exact share rounded down, and what is left goes, piece by piece, to those who lost most by the
/// rounding, of equals to the one that comes first. `asked` is in the order of age, the oldest line first.
///
/// Nobody gets more than they asked for, and who asked for more gets no less. A stock that suffices changes nothing;
/// one below zero counts as none.
pub fn share_out(stock: i64, asked: &[u64]) -> Vec<u64> {
    let total: u128 = asked.iter().copied().map(u128::from).sum();
    let stock = u64::try_from(stock).unwrap_or(0);
    if total <= u128::from(stock) {
        return asked.to_vec();
    }
    let (mut shares, lost): (Vec<u64>, Vec<u128>) =
        asked.iter().map(|&asked| divide(u128::from(asked) * u128::from(stock), total)).unzip();
    let mut losers: Vec<usize> = (0..asked.len()).collect();
    // The sort is stable: of equals the first stays first.
    losers.sort_by_key(|&line| std::cmp::Reverse(lost[line]));
    let left = stock - shares.iter().sum::<u64>();
    // Fewer pieces are left than there are lines with a remainder, so nobody gets two of them.
    for (line, _piece) in losers.into_iter().zip(0..left) {
        shares[line] += 1;
    }
    shares
}

/// Quotient and remainder; the quotient is below the stock, which fits.
fn divide(pieces: u128, total: u128) -> (u64, u128) {
    (u64::try_from(pieces / total).unwrap_or(u64::MAX), pieces % total)
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
            for (line, (&share, &wish)) in shares.iter().zip(&asked).enumerate() {
                prop_assert!(share <= wish && share <= available);
                // Within one piece of the exact share, all multiplied by the total.
                let exact = wish * total.min(available);
                prop_assert!((share * total).abs_diff(exact) <= total);
                for (other, &other_wish) in asked.iter().enumerate() {
                    prop_assert!(wish < other_wish || share >= shares[other] || (wish == other_wish && line > other));
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
