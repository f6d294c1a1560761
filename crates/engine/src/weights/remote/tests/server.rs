//! A server on the loopback that answers by path, with ranges, ETags and faults, and keeps what it was asked.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a path answers.
#[derive(Clone)]
pub struct Answer {
    status: u16,
    body: Vec<u8>,
    etag: Option<String>,
    pub headers: Vec<String>,
    pub ranges: bool,
    pub ignores_if_range: bool,
    /// Whether the length is told before.
    pub announces: bool,
    /// The connection ends after so many bytes of body.
    cut: Option<usize>,
    /// How often this is the answer, and what is afterwards.
    times: Option<u32>,
    next: Option<Box<Answer>>,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        Self {
            status,
            body: Vec::new(),
            etag: None,
            headers: Vec::new(),
            ranges: true,
            ignores_if_range: false,
            announces: true,
            cut: None,
            times: None,
            next: None,
        }
    }
    pub fn json(text: &str) -> Self {
        Self { body: text.as_bytes().to_vec(), ..Self::status(200) }
    }
    pub fn redirect(to: &str) -> Self {
        Self { headers: vec![format!("location: {to}")], ..Self::status(302) }
    }
    pub fn file(bytes: &[u8], etag: &str) -> Self {
        Self { body: bytes.to_vec(), etag: Some(etag.into()), ..Self::status(200) }
    }
    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }
    pub fn then(mut self, next: Self) -> Self {
        self.next = Some(Box::new(next));
        self
    }
}

#[derive(Default)]
struct State {
    answers: HashMap<String, Answer>,
    /// Request lines and headers, names in lower case.
    asked: Vec<String>,
}

pub struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        // Ends with the process: nothing waits for it.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                std::thread::spawn(move || answer(stream, &state));
            }
        });
        Self { address, state }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn on(&self, path: &str, answer: Answer) {
        self.state.lock().unwrap().answers.insert(path.to_owned(), answer);
    }

    pub fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else { return };
    let mut headers: HashMap<String, String> = HashMap::new();
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let path = first.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
    let found = {
        let mut state = state.lock().unwrap();
        let mut head = first;
        headers.iter().for_each(|(name, value)| head.push_str(&format!("\n{name}: {value}")));
        state.asked.push(head);
        take(&mut state, &path)
    };
    // The caller may have gone.
    let _ = send(stream, &found.unwrap_or_else(|| Answer::status(404)), &headers);
}

fn take(state: &mut State, path: &str) -> Option<Answer> {
    let answer = state.answers.get_mut(path)?;
    let now = answer.clone();
    if let Some(times) = &mut answer.times {
        *times -= 1;
        if *times == 0
            && let Some(next) = answer.next.take()
        {
            *answer = *next;
        }
    }
    Some(now)
}

fn send(mut stream: TcpStream, answer: &Answer, headers: &HashMap<String, String>) -> std::io::Result<()> {
    let from =
        headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let same = headers.get("if-range").is_none_or(|etag| Some(etag) == answer.etag.as_ref());
    let from = from.filter(|_| answer.ranges && (same || answer.ignores_if_range));
    let (status, body) = match from {
        Some(from) if from >= answer.body.len() => (416, &[][..]),
        Some(from) => (206, &answer.body[from..]),
        None => (answer.status, answer.body.as_slice()),
    };
    let mut head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n");
    if answer.announces {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    if let Some(from) = from {
        let total = answer.body.len();
        head.push_str(&format!("content-range: bytes {from}-{}/{total}\r\n", total.saturating_sub(1)));
    }
    answer.etag.iter().for_each(|etag| head.push_str(&format!("etag: {etag}\r\n")));
    answer.headers.iter().for_each(|header| head.push_str(&format!("{header}\r\n")));
    stream.write_all(head.as_bytes())?;
    stream.write_all(b"\r\n")?;
    stream.write_all(&body[..answer.cut.unwrap_or(body.len()).min(body.len())])?;
    stream.shutdown(std::net::Shutdown::Write)
}
