//! The metrics of the process, with the names that Prometheus' own client libraries use. They come from proc(5), so
//! they exist only on Linux.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

/// Reads the metrics of the process each time they are asked for.
#[derive(Debug)]
pub struct Process;

/// The clock ticks per second in proc(5). The number is the same on every Linux that Rust supports.
const TICKS: f64 = 100.0;

struct Reading {
    resident_bytes: u64,
    cpu_seconds: f64,
    open_files: u64,
    threads: u64,
}

impl Reading {
    fn take() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // The name of the program is in brackets and may contain spaces and brackets, so the fields after the last
        // bracket are read.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
        let pages: u64 = fields.get(21)?.parse().ok()?;
        Some(Self {
            resident_bytes: pages * rustix::param::page_size() as u64,
            cpu_seconds: ticks / TICKS,
            open_files: std::fs::read_dir("/proc/self/fd").ok()?.count() as u64,
            threads: fields.get(17)?.parse().ok()?,
        })
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let Some(reading) = Reading::take() else { return Ok(()) };
        let cpu = "User and system CPU time in seconds";
        let counter = encoder.encode_descriptor("process_cpu_seconds", cpu, None, MetricType::Counter)?;
        ConstCounter::new(reading.cpu_seconds).encode(counter)?;
        for (name, help, value) in [
            ("process_resident_memory_bytes", "Resident memory in bytes", reading.resident_bytes),
            ("process_open_fds", "Open file descriptors", reading.open_files),
            ("process_threads", "Threads", reading.threads),
        ] {
            let gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(gauge)?;
        }
        Ok(())
    }
}
