//! A replica set of three mongods for one test, which may stop any of them.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bson::{Document, doc};
use mongodb::{Client, Database};
use rustix::process::{Pid, Signal, kill_process};

use super::mongod::{installed_mongod, named_mongod};

/// A replica set. Its mongods are killed when this value is dropped.
pub struct ReplicaSet {
    uri: String,
    members: Vec<Member>,
}

struct Member {
    port: u16,
    folder: PathBuf,
    child: Child,
}

impl Member {
    fn start(port: u16, folder: PathBuf) -> Self {
        fs::create_dir_all(&folder).expect("a folder");
        let found = named_mongod().or_else(installed_mongod).unwrap_or_else(|| "mongod".into());
        let child = Command::new(found)
            .args(["--replSet", "three", "--bind_ip", "127.0.0.1", "--port", &port.to_string()])
            .args(["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64", "--nounixsocket", "--dbpath"])
            .arg(&folder)
            .stdout(Stdio::null())
            .spawn()
            .expect("mongod starts");
        Self { port, folder, child }
    }

    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    async fn admin(&self) -> Database {
        let uri = format!("mongodb://{}/?directConnection=true&serverSelectionTimeoutMS=2000", self.host());
        Client::with_uri_str(uri).await.expect("a client").database("admin")
    }

    async fn is_primary(&self) -> bool {
        let hello = self.admin().await.run_command(doc! { "hello": 1 }).await;
        hello.is_ok_and(|hello| hello.get_bool("isWritablePrimary").unwrap_or(false))
    }
}

impl ReplicaSet {
    /// Starts three empty members and waits until they have elected a primary.
    pub async fn start(folder: &Path) -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let members: Vec<_> = (0..3).map(|n| Member::start(free(), folder.join(format!("db{n}")))).collect();
        let hosts: Vec<String> = members.iter().map(Member::host).collect();
        let listed = hosts.iter().zip(0_i32..).map(|(host, id)| doc! { "_id": id, "host": host });
        let config = doc! { "_id": "three", "members": listed.collect::<Vec<Document>>() };
        let deadline = Instant::now() + Duration::from_secs(30);
        while members[0].admin().await.run_command(doc! { "replSetInitiate": &config }).await.is_err() {
            assert!(Instant::now() < deadline, "the set isn't initiated");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let set = Self { uri: format!("mongodb://{}/?replicaSet=three", hosts.join(",")), members };
        set.primary().await;
        set
    }

    /// Returns the connection string of the set.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Returns the address of the primary as `host:port`.
    pub async fn primary_host(&self) -> String {
        self.members[self.primary().await].host()
    }

    /// Ends the primary with a signal and waits until the process has ended.
    pub async fn end_primary(&mut self, signal: Signal) {
        let primary = self.primary().await;
        let child = &mut self.members[primary].child;
        kill_process(Pid::from_child(child), signal).expect("a signal");
        child.wait().expect("an end");
    }

    /// Makes the primary step down, so that the other members elect a new one.
    pub async fn step_down(&self) {
        let primary = self.primary().await;
        let admin = self.members[primary].admin().await;
        let _it_may_hang_up = admin.run_command(doc! { "replSetStepDown": 20, "force": true }).await;
    }

    /// Restarts the members that have ended.
    pub async fn restart_missing(&mut self) {
        for member in &mut self.members {
            if member.child.try_wait().expect("a state").is_some() {
                *member = Member::start(member.port, member.folder.clone());
            }
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }

    async fn primary(&self) -> usize {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            for (n, member) in self.members.iter().enumerate() {
                if member.is_primary().await {
                    return n;
                }
            }
            assert!(Instant::now() < deadline, "there is no primary");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

impl Drop for ReplicaSet {
    fn drop(&mut self) {
        for member in &mut self.members {
            let _it_may_have_ended = member.child.kill();
            let _reaped = member.child.wait();
        }
    }
}
