//! A checker for calls on one cart that overlap in time (linearizability).
//!
//! It looks for an order of all calls with two properties. First, carrying out the calls in this order gives each call
//! the answer that it really got. Second, a call that ended before another one began also comes before it in the order.
//!
//! The search is the algorithm of Wing and Gong. It remembers the states that it has tried, as Lowe proposed.

use std::{collections::HashSet, fmt};

/// The lines of a cart in their order. Each line is the number of a product and its quantity.
pub type Lines = Vec<(usize, u32)>;

/// A call of a client. Products are identified by numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Call {
    Add(usize, u32),
    Remove(usize, u32),
    Set(usize, u32),
    Clear,
    Read,
}

/// The answer to a call: the cart, or the error code of a refusal.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Cart(Lines),
    Refused(String),
}

/// A call with its answer. All times come from the same clock, and their unit does not matter.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    pub call: Call,
    pub answer: Answer,
    pub began: u128,
    pub ended: u128,
}

/// The longest order that could be found when no order explains all calls.
#[derive(Debug)]
pub struct Unexplained {
    /// The cart after the calls of this order.
    lines: Lines,
    /// The next call of each client. None of them can follow.
    pending: Vec<Done>,
}

impl fmt::Display for Unexplained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "none of these can come after a cart of {:?}:", self.lines)?;
        self.pending.iter().try_for_each(|done| write!(f, "\n{done:?}"))
    }
}

/// Looks for an order of the calls of all clients that explains every answer.
///
/// The calls of each client are already in order. Every product has `stock` pieces.
pub fn explain(clients: &[Vec<Done>], stock: u32) -> Result<(), Unexplained> {
    let mut furthest = (vec![0; clients.len()], Lines::new());
    let mut open = vec![furthest.clone()];
    let mut tried = HashSet::new();
    while let Some(state) = open.pop() {
        if !tried.insert(state.clone()) {
            continue;
        }
        let (next, lines) = &state;
        let heads = || clients.iter().zip(next).enumerate().filter_map(|(n, (calls, at))| Some((n, calls.get(*at)?)));
        let Some(first_end) = heads().map(|(_, done)| done.ended).min() else { return Ok(()) };
        for (client, done) in heads().filter(|(_, done)| done.began <= first_end) {
            let (lines, answer) = applied(lines, done.call, stock);
            if answer == done.answer {
                let mut next = next.clone();
                next[client] += 1;
                open.push((next, lines));
            }
        }
        if next.iter().sum::<usize>() > furthest.0.iter().sum() {
            furthest = state;
        }
    }
    let (next, lines) = furthest;
    let pending = clients.iter().zip(next).filter_map(|(calls, at)| calls.get(at).cloned());
    Err(Unexplained { lines, pending: pending.collect() })
}

/// Returns the cart after a call and the answer to the call, as the API documentation describes them.
fn applied(lines: &Lines, call: Call, stock: u32) -> (Lines, Answer) {
    let held = |product| lines.iter().find(|line| line.0 == product).map_or(0, |line| line.1);
    let refused = |code: &str| (lines.clone(), Answer::Refused(code.to_owned()));
    let after = match call {
        Call::Add(product, n) if held(product) + n > stock => return refused("not_enough_stock"),
        Call::Set(_, n) if n > stock => return refused("not_enough_stock"),
        Call::Remove(product, _) if held(product) == 0 => return refused("cart_item_not_found"),
        Call::Add(product, n) => with(lines, product, held(product) + n),
        Call::Set(product, n) => with(lines, product, n),
        Call::Remove(product, n) => with(lines, product, held(product).saturating_sub(n)),
        Call::Clear => Lines::new(),
        Call::Read => lines.clone(),
    };
    (after.clone(), Answer::Cart(after))
}

fn with(lines: &Lines, product: usize, pieces: u32) -> Lines {
    let mut lines = lines.clone();
    match lines.iter_mut().find(|line| line.0 == product) {
        Some(line) => line.1 = pieces,
        None => lines.push((product, pieces)),
    }
    lines.retain(|line| line.1 > 0);
    lines
}

mod tests {
    use proptest::prelude::*;

    use super::*;

    const STOCK: u32 = 4;

    fn done(call: Call, cart: &[(usize, u32)], (began, ended): (u128, u128)) -> Done {
        Done { call, answer: Answer::Cart(cart.to_vec()), began, ended }
    }

    fn refused(call: Call, code: &str, (began, ended): (u128, u128)) -> Done {
        Done { call, answer: Answer::Refused(code.to_owned()), began, ended }
    }

    fn is_explained(clients: &[Vec<Done>]) -> bool {
        explain(clients, STOCK).is_ok()
    }

    #[test]
    fn an_add_that_another_one_overwrote_has_no_explanation() {
        let first = done(Call::Add(0, 1), &[(0, 1)], (0, 10));
        let lost = done(Call::Add(0, 1), &[(0, 1)], (5, 15));
        assert!(!is_explained(&[vec![first.clone()], vec![lost]]));
        let kept = done(Call::Add(0, 1), &[(0, 2)], (5, 15));
        assert!(is_explained(&[vec![first], vec![kept]]));
    }

    #[test]
    fn what_had_ended_before_is_seen_and_what_overlaps_may_be() {
        let add = done(Call::Add(0, 1), &[(0, 1)], (0, 10));
        let blind = |began| done(Call::Read, &[], (began, 20));
        assert!(!is_explained(&[vec![add.clone()], vec![blind(11)]]));
        assert!(is_explained(&[vec![add], vec![blind(9)]]));
    }

    #[test]
    fn a_final_state_needs_a_call_that_made_it() {
        let add = done(Call::Add(0, 1), &[(0, 1)], (0, 10));
        let set = done(Call::Set(1, 2), &[(0, 1), (1, 2)], (5, 15));
        let last = done(Call::Read, &[(1, 2)], (50, 60));
        assert!(!is_explained(&[vec![add.clone()], vec![set.clone()], vec![last.clone()]]));
        let remove = done(Call::Remove(0, 1), &[(1, 2)], (1, 40));
        assert!(is_explained(&[vec![add], vec![set], vec![remove], vec![last]]));
    }

    #[test]
    fn a_refusal_needs_a_state_that_deserves_it() {
        let add = |at| done(Call::Add(0, 3), &[(0, 3)], at);
        let more = |at| refused(Call::Add(0, 2), "not_enough_stock", at);
        assert!(is_explained(&[vec![add((0, 10))], vec![more((5, 15))]]));
        assert!(!is_explained(&[vec![add((20, 30))], vec![more((5, 15))]]));
        let nothing_there = refused(Call::Remove(0, 1), "cart_item_not_found", (12, 15));
        assert!(!is_explained(&[vec![add((0, 10))], vec![nothing_there]]));
    }

    #[test]
    fn lines_keep_the_order_in_which_they_were_begun() {
        let clients = |last: &[(usize, u32)]| {
            let first = done(Call::Add(0, 1), &[(0, 1)], (0, 1));
            let second = done(Call::Add(1, 1), &[(0, 1), (1, 1)], (2, 3));
            [vec![first, second, done(Call::Set(0, 2), last, (4, 5))]]
        };
        assert!(is_explained(&clients(&[(0, 2), (1, 1)])));
        assert!(!is_explained(&clients(&[(1, 1), (0, 2)])));
    }

    fn calls() -> impl Strategy<Value = Call> {
        prop_oneof![
            (0..3_usize, 1..4_u32).prop_map(|(product, n)| Call::Add(product, n)),
            (0..3_usize, 1..4_u32).prop_map(|(product, n)| Call::Remove(product, n)),
            (0..3_usize, 0..6_u32).prop_map(|(product, n)| Call::Set(product, n)),
            Just(Call::Clear),
            Just(Call::Read),
        ]
    }

    /// Carries out the calls one after the other, ten ticks apart, and returns them as calls that overlap.
    ///
    /// Each call is recorded with an earlier begin and a later end than it really had. The calls of one client never
    /// overlap each other.
    fn observed(calls: &[(usize, Call, u128, u128)]) -> Vec<Vec<Done>> {
        let mut clients = vec![Vec::<Done>::new(); 4];
        let mut lines = Lines::new();
        for (n, (client, call, before, after)) in calls.iter().enumerate() {
            let (moment, answer);
            moment = 100 + 10 * n as u128;
            (lines, answer) = applied(&lines, *call, STOCK);
            if let Some(previous) = clients[*client].last_mut() {
                previous.ended = previous.ended.min(moment - 1);
            }
            let free_since = clients[*client].last().map_or(0, |previous| previous.ended);
            let began = moment.saturating_sub(*before).max(free_since);
            clients[*client].push(Done { call: *call, answer, began, ended: moment + after });
        }
        clients
    }

    proptest! {
        #[test]
        fn whatever_happened_in_some_order_is_explained(
            calls in prop::collection::vec((0..4_usize, calls(), 0..100_u128, 0..100_u128), 0..60),
        ) {
            let clients = observed(&calls);
            prop_assert!(is_explained(&clients), "{clients:?}");
        }

        #[test]
        fn pieces_that_nobody_put_there_are_not(
            calls in prop::collection::vec((0..4_usize, calls(), 0..100_u128, 0..100_u128), 0..60),
        ) {
            let mut clients = observed(&calls);
            clients.push(vec![done(Call::Read, &[(3, 1)], (0, 10_000))]);
            prop_assert!(!is_explained(&clients), "{clients:?}");
        }
    }
}
