//! The two text formats: OpenMetrics 1.0 for readers that ask for it, and the older format of Prometheus for others.

use std::{collections::HashSet, fmt};

use prometheus_client::encoding::text::encode_eof;

/// The format of the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsFormat {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus 0.0.4.
    Prometheus,
}

impl MetricsFormat {
    /// Returns the format for a reader that sends this `Accept` header.
    pub fn accepted(accept: Option<&str>) -> Self {
        match accept {
            Some(accept) if accept.contains("application/openmetrics-text") => Self::OpenMetrics,
            _ => Self::Prometheus,
        }
    }

    /// Returns the `Content-Type` of the format.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    pub(super) fn finish(self, mut text: String) -> Result<String, fmt::Error> {
        match self {
            Self::OpenMetrics => encode_eof(&mut text).map(|()| text),
            Self::Prometheus => Ok(older(&text)),
        }
    }
}

/// Converts OpenMetrics to the older format.
///
/// The older format describes a metric under the name that its samples have. For example, `# TYPE a counter` becomes
/// `# TYPE a_total counter`, because the samples are called `a_total`. It has no units and no type `info`.
fn older(text: &str) -> String {
    let typed = |kind| text.lines().filter_map(move |line| line.strip_prefix("# TYPE ")?.strip_suffix(kind));
    let counters: HashSet<&str> = typed(" counter").collect();
    let infos: HashSet<&str> = typed(" info").collect();
    let mut lines = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.starts_with("# UNIT ")) {
        match described(line) {
            Some((kind, name, rest)) if counters.contains(name) => {
                lines.push_str(&format!("# {kind} {name}_total {rest}"));
            }
            Some(("TYPE", name, _)) if infos.contains(name) => lines.push_str(&format!("# TYPE {name}_info gauge")),
            Some((kind, name, rest)) if infos.contains(name) => {
                lines.push_str(&format!("# {kind} {name}_info {rest}"));
            }
            _ => lines.push_str(line),
        }
        lines.push('\n');
    }
    lines
}

/// Splits a line such as `# TYPE name counter` into its three parts.
fn described(line: &str) -> Option<(&str, &str, &str)> {
    let mut parts = line.strip_prefix("# ")?.splitn(3, ' ');
    Some((parts.next()?, parts.next()?, parts.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_described_by_the_name_of_their_samples() {
        let text = "# HELP a Some a.\n# TYPE a counter\na_total 1\n# HELP b B.\n# TYPE b gauge\nb 2\n\
                    # HELP v V.\n# TYPE v info\nv_info{version=\"1\"} 1\n";
        let expected = "# HELP a_total Some a.\n# TYPE a_total counter\na_total 1\n# HELP b B.\n# TYPE b gauge\nb 2\n\
                        # HELP v_info V.\n# TYPE v_info gauge\nv_info{version=\"1\"} 1\n";
        assert_eq!(older(text), expected);
    }

    #[test]
    fn readers_get_what_they_ask_for() {
        assert_eq!(MetricsFormat::accepted(None), MetricsFormat::Prometheus);
        assert_eq!(MetricsFormat::accepted(Some("text/plain;q=0.5, */*")), MetricsFormat::Prometheus);
        let prometheus = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
        assert_eq!(MetricsFormat::accepted(Some(prometheus)), MetricsFormat::OpenMetrics);
    }
}
