//! Load from wrk (https://github.com/wg/wrk): what is sent, and what came back.

use std::{
    fmt::Write,
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// One request of a scenario.
#[derive(Clone, Default)]
pub struct Ask {
    /// GET when empty.
    pub method: &'static str,
    /// From the slash on.
    pub path: String,
    /// The access token, if the call takes one.
    pub bearer: String,
    /// The entity tag that the caller knows.
    pub if_none_match: String,
    /// JSON; none when empty.
    pub body: String,
}

impl Ask {
    /// A GET without anything.
    pub fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// The same with a bearer.
    pub fn with_bearer(self, bearer: &str) -> Self {
        Self { bearer: bearer.to_owned(), ..self }
    }
}

/// What came back.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Answers.
    pub requests: f64,
    /// Answers in a second.
    pub per_second: f64,
    /// Median, in microseconds.
    pub p50: f64,
    /// 99th percentile, in microseconds.
    pub p99: f64,
    /// Answers from 400 up, and connections that failed.
    pub errors: f64,
}

/// Takes requests in an order that jumps about, the same in every run. wrk counts what is answered below 400 as good.
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

/// Sends `asks` over and over from so many connections.
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
