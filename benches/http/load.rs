//! Load from wrk (<https://github.com/wg/wrk>): the requests that it sends and the results that it reports.

use std::{
    fmt::Write,
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// One request of a scenario.
#[derive(Clone, Default)]
pub struct Ask {
    /// The method. An empty text means GET.
    pub method: &'static str,
    /// The path with its first slash, and the query.
    pub path: String,
    /// The access token. It is empty if the call needs none.
    pub bearer: String,
    /// The entity tag for `If-None-Match`. It is empty if there is none.
    pub if_none_match: String,
    /// The JSON body. It is empty if there is none.
    pub body: String,
}

impl Ask {
    /// Creates a GET request without token, tag and body.
    pub fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// Adds an access token to the request.
    pub fn with_bearer(self, bearer: &str) -> Self {
        Self { bearer: bearer.to_owned(), ..self }
    }
}

/// The results that wrk reports.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// The number of responses.
    pub requests: f64,
    /// The number of responses per second.
    pub per_second: f64,
    /// The median of the response times, in microseconds.
    pub p50: f64,
    /// The 99th percentile of the response times, in microseconds.
    pub p99: f64,
    /// The number of responses with status 400 or above, plus the number of failed connections.
    pub errors: f64,
}

/// The script for wrk. It sends the requests in an order that looks random but is the same in every run.
///
/// wrk counts a response with a status below 400 as a success.
const SCRIPT: &str = r#"
local asks = {}
local at = 0
init = function(args)
  for line in io.lines(args[1]) do
    local method, path, bearer, tag, body = line:match("^(.-)\t(.-)\t(.-)\t(.-)\t(.*)$")
    local headers = {}
    if bearer ~= "" then headers["Authorization"] = "Bearer " .. bearer end
    if tag ~= "" then headers["If-None-Match"] = tag end
    if body ~= "" then headers["Content-Type"] = "application/json" end
    asks[#asks + 1] = wrk.format(method, path, headers, body ~= "" and body or nil)
  end
end
request = function()
  at = (at + 7919) % #asks
  return asks[at + 1]
end
done = function(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), failed))
end
"#;

/// Sends the requests in `asks` again and again on `connections` connections for `seconds` seconds.
pub fn run(folder: &Path, base: &str, asks: &[Ask], connections: u32, seconds: u32) -> Load {
    let mut lines = String::new();
    for Ask { method, path, bearer, if_none_match, body } in asks {
        let method = if method.is_empty() { "GET" } else { method };
        writeln!(lines, "{method}\t{path}\t{bearer}\t{if_none_match}\t{body}").expect("a string takes all");
    }
    let (script, data) = (folder.join("wrk.lua"), folder.join("wrk.tsv"));
    fs::write(&script, SCRIPT).expect("a script");
    fs::write(&data, lines).expect("the requests");
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "--timeout", "10s", "-s"]);
    wrk.arg(&script).arg(base).arg("--").arg(&data).stderr(Stdio::inherit());
    let output = wrk.output().expect("wrk runs: install it, scripts/install-wrk says how");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let result = text.lines().find_map(|line| line.strip_prefix("RESULT ")).expect("wrk tells its result");
    let numbers: Vec<f64> = result.split(' ').map(|number| number.parse().expect("a number")).collect();
    let &[requests, micros, p50, p99, errors] = numbers.as_slice() else { panic!("wrk told {result}") };
    Load { requests, per_second: requests / (micros / 1e6), p50, p99, errors }
}
