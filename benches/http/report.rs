//! The results as a table and as JSON.

use serde_json::{Value, json};

use super::load::Load;

/// One turn of a scenario or of its floor.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// The results that wrk reported.
    pub load: Load,
    /// The CPU time of the serving process for one response, in microseconds.
    pub cpu_micros: f64,
    /// The resident memory of the serving process after the turn, in bytes.
    pub resident: u64,
}

/// The turns of a scenario and of its floor.
pub struct Measured {
    /// A short description of the scenario.
    pub name: &'static str,
    /// A short description of the floor.
    pub floor: &'static str,
    /// The goal for the ratio of the two throughputs, server to floor.
    pub at_least: f64,
    /// Pairs of a turn of the server and a turn of the floor.
    pub turns: Vec<(Turn, Turn)>,
}

/// Returns the median. Of an even number of values it is the upper of the two in the middle.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

impl Measured {
    /// Returns the median of the ratios of throughputs, server to floor. Each ratio compares the two turns of a pair.
    pub fn ratio(&self) -> f64 {
        median(self.turns.iter().map(|(own, floor)| own.load.per_second / floor.load.per_second))
    }

    fn of(&self, what: impl Fn(&Turn) -> f64) -> (f64, f64) {
        (median(self.turns.iter().map(|(own, _)| what(own))), median(self.turns.iter().map(|(_, floor)| what(floor))))
    }

    /// Returns the line of the table for this scenario.
    pub fn line(&self) -> String {
        let (own, floor) = self.of(|turn| turn.load.per_second);
        let (p50, _) = self.of(|turn| turn.load.p50);
        let (p99, floor_p99) = self.of(|turn| turn.load.p99);
        let (cpu, floor_cpu) = self.of(|turn| turn.cpu_micros);
        let errors: f64 = self.turns.iter().map(|(own, floor)| own.load.errors + floor.load.errors).sum();
        let verdict = match (errors > 0.0, self.ratio() >= self.at_least) {
            (true, _) => format!("{errors} ERRORS"),
            (false, true) => "ok".to_owned(),
            (false, false) => "BELOW".to_owned(),
        };
        format!(
            "{:<34} {own:>8.0} {floor:>8.0} {:>6.2} {:>6.2}  {p50:>8.0} {p99:>8.0} {floor_p99:>8.0} {cpu:>7.1} {floor_cpu:>7.1}  {verdict}",
            self.name,
            self.ratio(),
            self.at_least,
        )
    }

    /// Returns the header line of the table.
    pub fn head() -> String {
        format!(
            "{:<34} {:>8} {:>8} {:>6} {:>6}  {:>8} {:>8} {:>8} {:>7} {:>7}",
            "scenario", "req/s", "floor", "ratio", "goal", "p50 us", "p99 us", "floor99", "cpu us", "floor"
        )
    }

    /// Returns all results as JSON.
    pub fn json(&self) -> Value {
        let turn = |turn: &Turn| {
            json!({ "requests_per_second": turn.load.per_second, "p50_us": turn.load.p50, "p99_us": turn.load.p99,
                "cpu_us": turn.cpu_micros, "resident_bytes": turn.resident, "errors": turn.load.errors })
        };
        let turns = self.turns.iter().map(|(own, floor)| json!({ "server": turn(own), "floor": turn(floor) }));
        json!({ "scenario": self.name, "floor": self.floor, "goal": self.at_least, "ratio": self.ratio(),
            "turns": turns.collect::<Vec<_>>() })
    }
}
