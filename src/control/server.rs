//! The server's side of the control socket: answers the commands of the people of this machine.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::protocol::{OK, STATUS, STATUS_JSON, STOP};
use super::report::Status;
use super::socket::{ControlSocket, Question};
use crate::server::ShutdownReport;
use crate::service::version;
use crate::text::display::format_duration;

/// Who are answered at once; the others are not, and may ask again.
const CLERKS_MAX: usize = 128;

/// Who answers at a control socket.
pub(crate) struct ControlServer {
    socket: ControlSocket,
    status: Status,
    stopping: Box<dyn Fn() + Send + Sync>,
    /// Threads that answer.
    clerks: AtomicUsize,
    end: Mutex<End>,
}

/// What became of those who asked for the end.
enum End {
    /// They wait.
    Awaited(Vec<Question>),
    /// This is what they, and all who come later, are told.
    Told(String),
}

impl ControlServer {
    /// Answers everybody from now on, each on a thread of its own. `stopping` is called by who stops the
    /// server.
    pub(crate) fn open(
        socket: ControlSocket,
        status: Status,
        stopping: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Arc<Self>> {
        let desk = Arc::new(Self {
            socket,
            status,
            stopping: Box::new(stopping),
            clerks: AtomicUsize::new(0),
            end: Mutex::new(End::Awaited(Vec::new())),
        });
        let porter = Arc::clone(&desk);
        thread::Builder::new().spawn(move || {
            loop {
                let stream = porter.socket.accept();
                if porter.clerks.load(Ordering::Acquire) >= CLERKS_MAX {
                    continue;
                }
                let clerk = Arc::clone(&porter);
                clerk.clerks.fetch_add(1, Ordering::AcqRel);
                let started = thread::Builder::new().spawn(move || {
                    // Who does not ask gets no answer.
                    if let Ok(question) = Question::read(stream) {
                        clerk.answer(question);
                    }
                    clerk.clerks.fetch_sub(1, Ordering::AcqRel);
                });
                if started.is_err() {
                    porter.clerks.fetch_sub(1, Ordering::AcqRel);
                }
            }
        })?;
        Ok(desk)
    }

    fn answer(&self, mut question: Question) {
        let answer = match question.text() {
            STATUS => format!("{OK}{}", self.status.text()),
            STATUS_JSON => format!("{OK}{}", self.status.json()),
            STOP => {
                question.answer(OK);
                match &mut *self.end() {
                    End::Awaited(waiting) => waiting.push(question),
                    End::Told(text) => question.answer(text),
                }
                return (self.stopping)();
            }
            other => {
                let other = other.escape_debug();
                let version = version();
                format!("\"{other}\" is not known to the server, which is wechat {version}")
            }
        };
        question.answer(&answer);
    }

    /// The server has ended: removes the socket, and tells everybody who waits for that.
    pub(crate) fn close(&self, ended: ShutdownReport) {
        self.socket.remove();
        let took = format_duration(ended.took);
        let text = match ended.unanswered {
            0 => format!("stopped after {took}\n"),
            1 => format!("stopped after {took}, 1 request without an answer\n"),
            cut => format!("stopped after {took}, {cut} requests without an answer\n"),
        };
        let mut end = self.end();
        if let End::Awaited(waiting) = &mut *end {
            waiting
                .iter_mut()
                .for_each(|question| question.answer(&text));
        }
        *end = End::Told(text);
    }

    fn end(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
