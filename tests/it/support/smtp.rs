//! A small mail server, which can accept mails, refuse them or never answer.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU8, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::Letter;

const TAKING: u8 = 0;
const REFUSING: u8 = 1;
const HANGING: u8 = 2;

/// A mail server on a free port.
#[derive(Clone)]
pub struct MailServer {
    /// The value for the setting `SMTP_URL`.
    pub url: String,
    mode: Arc<AtomicU8>,
    taken: Arc<Mutex<Vec<Letter>>>,
    calls: Arc<AtomicUsize>,
}

impl MailServer {
    /// Starts a mail server that accepts mails.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let server = Self {
            url: format!("smtp://127.0.0.1:{port}"),
            mode: Arc::default(),
            taken: Arc::default(),
            calls: Arc::default(),
        };
        let serving = server.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                tokio::spawn(serving.clone().talk(stream));
            }
        });
        server
    }

    /// Makes the server accept mails.
    pub fn take(&self) {
        self.mode.store(TAKING, Ordering::SeqCst);
    }

    /// Makes the server answer each new connection with 421, which means that it is not available.
    pub fn refuse(&self) {
        self.mode.store(REFUSING, Ordering::SeqCst);
    }

    /// Makes the server accept connections and never answer.
    pub fn hang(&self) {
        self.mode.store(HANGING, Ordering::SeqCst);
    }

    /// Returns the accepted mails.
    pub fn letters(&self) -> Vec<Letter> {
        self.taken.lock().expect("no panic").clone()
    }

    /// Returns the number of connections so far.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    async fn talk(self, stream: TcpStream) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        // The conversation ends early if the client closes the connection.
        let _hung_up = self.try_talk(stream).await;
    }

    /// Answers the commands of RFC 5321 that a client needs for one mail. Returns `None` if the client hangs up.
    async fn try_talk(&self, stream: TcpStream) -> Option<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        match self.mode.load(Ordering::SeqCst) {
            HANGING => std::future::pending().await,
            REFUSING => write.write_all(b"421 no time\r\n").await.ok()?,
            _ => write.write_all(b"220 mail.test\r\n").await.ok()?,
        }
        while let Some(line) = lines.next_line().await.ok()? {
            let answer = match line.split(' ').next()? {
                "DATA" => {
                    write.write_all(b"354 go on\r\n").await.ok()?;
                    let mut mail = String::new();
                    while let Some(line) = lines.next_line().await.ok()?.filter(|line| line != ".") {
                        mail.push_str(&line);
                        mail.push('\n');
                    }
                    self.taken.lock().expect("no panic").push(Letter::of(&mail));
                    "250 taken"
                }
                "QUIT" => "221 bye",
                _ => "250 yes",
            };
            write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        }
        Some(())
    }
}
