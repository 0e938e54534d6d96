//! The real server compared with the canned one, round by round.
//!
//! In each round, every mode measures two servers directly one after the other, in alternating order, so that other work of
//! the machine affects both servers. The result of a round is the ratio of the two servers. The first mode compares two
//! canned servers, so its ratios show the noise.
//!
//! With a single connection, most of the time is spent by the kernel to wake a sleeping processor. This can take four times
//! as long on an idle machine as on a busy machine.
//!
//! Client and server share the processors, so both rates include the cost of the client. Processor times do not include it.

use std::thread;
use std::time::{Duration, Instant};

use crate::client::{self, Lane, Traffic};
use crate::messages;
use crate::output::{Progress, Table, figure, title};
use crate::process::{Server, Spent};
use crate::timing::Figures;

const ROUNDS: usize = 9;
const WARM_UP: Duration = Duration::from_millis(100);
const MEASURED: Duration = Duration::from_millis(400);

/// The number of different messages. They are sent in turn, and repeated. The server accepts a repeated message like a later
/// try of WeChat, because its signature is used for the same content.
const MESSAGES: u64 = 512;

/// A way to send messages.
struct Mode {
    name: &'static str,
    connections: usize,
    /// Whether each request uses a new connection.
    is_last: bool,
    /// Whether a second canned server is measured instead of the real one.
    is_control: bool,
}

const MODES: [Mode; 5] = [
    Mode {
        name: "control: canned against canned, 16 kept",
        connections: 16,
        is_last: false,
        is_control: true,
    },
    Mode::kept("1 connection, kept", 1),
    Mode::kept("16 connections, kept", 16),
    Mode::kept("64 connections, kept", 64),
    Mode {
        name: "a connection per request, 16 at once",
        connections: 16,
        is_last: true,
        is_control: false,
    },
];

impl Mode {
    const fn kept(name: &'static str, connections: usize) -> Self {
        Self { name, connections, is_last: false, is_control: false }
    }
}

/// The figures of one server in one mode, one per round.
#[derive(Default)]
struct Measured {
    rate: Figures,
    p50: Figures,
    p99: Figures,
    /// Microseconds of processor time per request.
    cpu: Figures,
    user_ticks: u64,
    system_ticks: u64,
}

/// The results of a mode: the figures of both servers, and the first error.
#[derive(Default)]
struct Compared {
    sides: [Measured; 2],
    error: Option<String>,
}

/// The servers and the requests.
struct Setup {
    real: Server,
    canned: Server,
    /// The servers of the mode with `is_control`.
    control: [Server; 2],
    /// Requests that keep the connection.
    kept: Exchange,
    /// Requests with `Connection: close`.
    last: Exchange,
}

/// The requests and their response, which is the same for all requests except for its date.
struct Exchange {
    requests: Vec<Vec<u8>>,
    response: Vec<u8>,
}

/// Runs the part `load`.
pub(crate) fn run(begin_until: Instant) -> bool {
    let progress = Progress::begin("load");
    let setup = Setup::new();
    let mut compared = MODES.map(|_| Compared::default());
    for round in 0..ROUNDS {
        if Instant::now() > begin_until {
            break;
        }
        for (mode, compared) in MODES.iter().zip(&mut compared) {
            progress.show(&format!("round {} of {ROUNDS}, {}", round + 1, mode.name));
            setup.compare(mode, round % 2 == 1, compared);
        }
    }
    drop(progress);
    print_ratios(&compared);
    print_figures(&compared);
    compared.iter().all(|compared| compared.error.is_none())
}

impl Setup {
    fn new() -> Self {
        let real = Server::real(&[]);
        let exchange = |request: fn(u64) -> Vec<u8>, is_last| {
            let requests: Vec<Vec<u8>> = (0..MESSAGES).map(request).collect();
            let response = client::checked_response(real.address, &requests[0], is_last);
            Exchange { requests, response }
        };
        let kept = exchange(messages::captured, false);
        let last = exchange(messages::captured_last, true);
        let start = || Server::canned(&kept.response, &last.response);
        let (canned, control) = (start(), [start(), start()]);
        Self { real, canned, control, kept, last }
    }

    /// Measures both servers of a mode, directly one after the other.
    fn compare(&self, mode: &Mode, is_reversed: bool, compared: &mut Compared) {
        let [first, second] = &mut compared.sides;
        let mut sides = match (mode.is_control, &self.control) {
            (true, [one, other]) => [(one, first), (other, second)],
            (false, _) => [(&self.canned, first), (&self.real, second)],
        };
        if is_reversed {
            sides.reverse();
        }
        let exchange = if mode.is_last { &self.last } else { &self.kept };
        for (server, measured) in sides {
            // After an error, the results would not be comparable.
            if compared.error.is_some() {
                return;
            }
            let traffic = Traffic {
                address: server.address,
                requests: &exchange.requests,
                response_length: exchange.response.len(),
                is_last: mode.is_last,
            };
            compared.error = measure(server, traffic, mode.connections, measured).err();
        }
    }
}

/// Measures one server in one mode, in one round.
fn measure(
    server: &Server,
    traffic: Traffic<'_>,
    connections: usize,
    measured: &mut Measured,
) -> Result<(), String> {
    // Two threads can keep a server on two processors busy. One connection needs one thread.
    let threads = connections.min(2);
    let half = traffic.requests.len() / threads;
    let lane = |thread| Lane::new(traffic, connections / threads, thread * half);
    let mut lanes: Vec<Lane<'_>> = (0..threads).map(lane).collect();
    run_for(WARM_UP, &mut lanes)?;
    // No request is in flight when the processor time is read, so the difference is the time of whole requests.
    let before = server.cpu();
    let begun = Instant::now();
    let mut latencies = run_for(MEASURED, &mut lanes)?;
    let seconds = begun.elapsed().as_secs_f64();
    let spent = server.cpu().spent_since(&before);
    latencies.sort_unstable();
    measured.add(&latencies, seconds, &spent);
    Ok(())
}

/// Sends with one thread for each lane, and returns the latencies in nanoseconds.
fn run_for(duration: Duration, lanes: &mut [Lane<'_>]) -> Result<Vec<u64>, String> {
    let until = Instant::now() + duration;
    thread::scope(|scope| {
        let run = |lane| scope.spawn(move || Lane::run(lane, until));
        let threads: Vec<_> = lanes.iter_mut().map(run).collect();
        let mut latencies = Vec::new();
        for thread in threads {
            latencies.extend(thread.join().unwrap()?);
        }
        Ok(latencies)
    })
}

impl Measured {
    fn add(&mut self, sorted: &[u64], seconds: f64, spent: &Spent) {
        let count = sorted.len() as f64;
        let at = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100);
            sorted[rank.saturating_sub(1)] as f64 / 1e3
        };
        self.rate.push(count / seconds);
        self.p50.push(at(50));
        self.p99.push(at(99));
        if spent.nanos > 0 {
            self.cpu.push(spent.nanos as f64 / 1e3 / count);
        }
        self.user_ticks += spent.user_ticks;
        self.system_ticks += spent.system_ticks;
    }

    /// The percentage of its processor time spent in user mode.
    fn user_share(&self) -> f64 {
        100.0 * self.user_ticks as f64 / (self.user_ticks + self.system_ticks) as f64
    }
}

fn print_ratios(compared: &[Compared]) {
    let rounds = compared.iter().map(|compared| compared.sides[0].rate.count());
    title(
        "load",
        &format!(
            "Ratios real server / canned server: median of {} rounds (lowest–highest). \
             Better are a higher rate, a lower p99 and a lower CPU.",
            rounds.max().unwrap_or(0)
        ),
    );
    let mut table = Table::new(&["mode", "rate", "p99", "CPU per request"]);
    for (mode, compared) in MODES.iter().zip(compared) {
        let [canned, other] = &compared.sides;
        let mut cells = vec![mode.name.to_owned()];
        cells.extend(match &compared.error {
            Some(_) => ["ERRORS", "–", "–"].map(str::to_owned),
            None => [
                ratio(&other.rate, &canned.rate),
                ratio(&other.p99, &canned.p99),
                ratio(&other.cpu, &canned.cpu),
            ],
        });
        table.row(cells);
    }
    table.print();
    for (mode, compared) in MODES.iter().zip(compared) {
        if let Some(error) = &compared.error {
            println!("{}: no results, because of an error: {error}\n", mode.name);
        }
    }
}

fn print_figures(compared: &[Compared]) {
    let mut table =
        Table::new(&["mode", "server", "requests/s", "p50 µs", "p99 µs", "CPU µs", "user share"]);
    for (mode, compared) in MODES.iter().zip(compared) {
        if compared.error.is_some() {
            continue;
        }
        let other = if mode.is_control { "canned, second" } else { "real" };
        for (name, side) in ["canned", other].iter().zip(&compared.sides) {
            let medians = [&side.rate, &side.p50, &side.p99, &side.cpu].map(Figures::median);
            let mut cells = vec![mode.name.to_owned(), (*name).to_owned()];
            cells.extend(medians.map(figure));
            cells.push(format!("{:.0} %", side.user_share()));
            table.row(cells);
        }
    }
    table.print();
}

fn ratio(other: &Figures, canned: &Figures) -> String {
    let ratios = other.merge(canned, |other, canned| other / canned);
    match ratios.count() {
        0 => "–".to_owned(),
        _ => format!("{:.2} ({:.2}–{:.2})", ratios.median(), ratios.lowest(), ratios.highest()),
    }
}
