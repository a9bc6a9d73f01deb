//! The requests of one user scheme, from submission to answer.
//!
//! A request is *queued* until the daemon reads it, *sent* until the daemon answers it, then *done* until its client takes the answer. A client that gives up
//! leaves an *abandoned* request behind: if it was sent, its tag (and with it whatever the request owns, such as a buffer that the daemon may still write
//! to) stays taken until the daemon answers or dies.
//!
//! A tag holds the place in the table and a generation, so that a late or invented answer names no other request.
//!
//! Nothing here locks or sleeps; the owner puts a lock around it. Requests that go out of the table are returned, so that they are dropped outside of
//! that lock.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Most requests at a time: the place takes the lower half of a tag.
pub const MAX_REQUESTS: usize = 1 << 16;

/// Names a request to the daemon and to its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

impl Tag {
    fn new(place: usize, generation: u16) -> Self {
        Self(place as u32 | u32::from(generation) << 16)
    }

    fn place(self) -> usize {
        (self.0 & 0xffff) as usize
    }

    fn generation(self) -> u16 {
        (self.0 >> 16) as u16
    }
}

enum State<A> {
    Queued,
    Sent,
    Done(A),
}

struct Entry<R, A> {
    request: R,
    state: State<A>,
    /// Order of submission.
    sequence: u64,
    abandoned: bool,
    cancelled: bool,
}

struct Place<R, A> {
    generation: u16,
    entry: Option<Entry<R, A>>,
}

/// The table. `R` is a request, `A` an answer.
pub struct Table<R, A> {
    places: Vec<Place<R, A>>,
    free: Vec<u16>,
    queue: VecDeque<Item>,
    sequence: u64,
    live: usize,
}

#[derive(Clone, Copy)]
enum Item {
    Request(Tag),
    Cancel(Tag),
}

/// What the daemon gets next.
#[derive(Debug, PartialEq, Eq)]
pub enum Outgoing<'a, R> {
    /// A request, now sent.
    Request(Tag, &'a R),
    /// The client of this request has given up.
    Cancel(Tag),
}

/// What became of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Answered<'a, R> {
    /// A client waits for it: wake it.
    Waiting(&'a R),
    /// Nobody wants it any more; the request is out of the table.
    Abandoned(R),
}

/// What a client that wants to give up finds.
#[derive(Debug, PartialEq, Eq)]
pub enum Interrupted<R> {
    /// The daemon has not seen the request and never will.
    Withdrawn(R),
    /// The daemon has it, and a `Cancel` is on its way to it: an answer should come soon.
    Asked,
    /// The answer is there already.
    Done,
}

impl<R, A> Default for Table<R, A> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new(), queue: VecDeque::new(), sequence: 0, live: 0 }
    }
}

impl<R, A> Table<R, A> {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of requests in the table.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether there is no request.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    fn entry(&mut self, tag: Tag) -> Option<&mut Entry<R, A>> {
        let place = self.places.get_mut(tag.place())?;
        if place.generation == tag.generation() { place.entry.as_mut() } else { None }
    }

    fn remove(&mut self, tag: Tag) -> Option<Entry<R, A>> {
        let place = self.places.get_mut(tag.place()).filter(|p| p.generation == tag.generation())?;
        let entry = place.entry.take()?;
        // 0 is never used, so that no tag is 0.
        place.generation = place.generation.checked_add(1).unwrap_or(1);
        self.free.push(tag.place() as u16);
        self.live -= 1;
        Some(entry)
    }

    /// Adds a request to the queue. `detached`: nobody will take the answer. Gives the request back where the table is full.
    pub fn submit(&mut self, request: R, detached: bool) -> Result<Tag, R> {
        let place = match self.free.pop() {
            Some(place) => usize::from(place),
            None if self.places.len() < MAX_REQUESTS => {
                self.places.push(Place { generation: 1, entry: None });
                self.places.len() - 1
            }
            None => return Err(request),
        };
        self.sequence += 1;
        let (sequence, slot) = (self.sequence, &mut self.places[place]);
        slot.entry = Some(Entry { request, state: State::Queued, sequence, abandoned: detached, cancelled: false });
        let tag = Tag::new(place, slot.generation);
        self.live += 1;
        self.queue.push_back(Item::Request(tag));
        Ok(tag)
    }

    /// As [`Table::submit`], before everything that is queued, for a request whose answer nobody will take.
    pub fn submit_first(&mut self, request: R) -> Result<Tag, R> {
        let tag = self.submit(request, true)?;
        self.queue.pop_back();
        self.queue.push_front(Item::Request(tag));
        Ok(tag)
    }

    /// Whether the next thing for the daemon is a request that `wanted` holds for.
    pub fn next_is(&mut self, wanted: impl Fn(&R) -> bool) -> bool {
        if !self.has_outgoing() {
            return false;
        }
        match self.queue.front() {
            Some(Item::Request(tag)) => {
                let tag = *tag;
                self.entry(tag).is_some_and(|e| wanted(&e.request))
            }
            _ => false,
        }
    }

    /// Whether the daemon has anything to read.
    pub fn has_outgoing(&mut self) -> bool {
        while let Some(item) = self.queue.front().copied() {
            if self.is_current(item) {
                return true;
            }
            self.queue.pop_front();
        }
        false
    }

    fn is_current(&mut self, item: Item) -> bool {
        match item {
            Item::Request(tag) => self.entry(tag).is_some_and(|e| matches!(e.state, State::Queued)),
            Item::Cancel(tag) => self.entry(tag).is_some_and(|e| matches!(e.state, State::Sent)),
        }
    }

    /// The next thing for the daemon; a request counts as sent from now on.
    pub fn next_outgoing(&mut self) -> Option<Outgoing<'_, R>> {
        if !self.has_outgoing() {
            return None;
        }
        match self.queue.pop_front()? {
            Item::Cancel(tag) => Some(Outgoing::Cancel(tag)),
            Item::Request(tag) => {
                let entry = self.entry(tag)?;
                entry.state = State::Sent;
                Some(Outgoing::Request(tag, &entry.request))
            }
        }
    }

    /// Puts a sent request back to the front of the queue: the daemon could not take it after all.
    pub fn unsend(&mut self, tag: Tag) {
        if let Some(entry) = self.entry(tag).filter(|e| matches!(e.state, State::Sent)) {
            entry.state = State::Queued;
            self.queue.push_front(Item::Request(tag));
        }
    }

    /// The request that an answer with this tag would be for: it is sent and not answered yet.
    pub fn awaiting_answer(&mut self, tag: Tag) -> Option<&R> {
        self.entry(tag).filter(|e| matches!(e.state, State::Sent)).map(|e| &e.request)
    }

    /// The request with this tag, if the daemon has it, has not answered it, and its client still waits.
    pub fn in_flight(&mut self, tag: Tag) -> Option<&R> {
        self.entry(tag).filter(|e| matches!(e.state, State::Sent) && !e.abandoned).map(|e| &e.request)
    }

    /// Takes the daemon's answer. Gives it back where no such request waits for one.
    pub fn answer(&mut self, tag: Tag, answer: A) -> Result<Answered<'_, R>, A> {
        let abandoned = match self.entry(tag) {
            Some(entry) if matches!(entry.state, State::Sent) => entry.abandoned,
            _ => return Err(answer),
        };
        if abandoned {
            return match self.remove(tag) {
                Some(entry) => Ok(Answered::Abandoned(entry.request)),
                None => Err(answer),
            };
        }
        match self.entry(tag) {
            Some(entry) => {
                entry.state = State::Done(answer);
                Ok(Answered::Waiting(&entry.request))
            }
            None => Err(answer),
        }
    }

    /// The client takes its answer and its request back, if it is done.
    pub fn take(&mut self, tag: Tag) -> Option<(R, A)> {
        self.entry(tag).filter(|e| matches!(e.state, State::Done(_)))?;
        let entry = self.remove(tag)?;
        match entry.state {
            State::Done(answer) => Some((entry.request, answer)),
            _ => None,
        }
    }

    /// Whether the answer is there.
    pub fn is_done(&mut self, tag: Tag) -> bool {
        self.entry(tag).is_none_or(|e| matches!(e.state, State::Done(_)))
    }

    /// The client wants to give up.
    pub fn interrupt(&mut self, tag: Tag) -> Interrupted<R> {
        match self.entry(tag) {
            Some(Entry { state: State::Queued, .. }) => match self.remove(tag) {
                Some(entry) => Interrupted::Withdrawn(entry.request),
                None => Interrupted::Done,
            },
            Some(entry @ Entry { state: State::Sent, .. }) => {
                if !core::mem::replace(&mut entry.cancelled, true) {
                    self.queue.push_front(Item::Cancel(tag));
                }
                Interrupted::Asked
            }
            _ => Interrupted::Done,
        }
    }

    /// The client gives up for good. Returns the request unless the daemon still has it.
    pub fn abandon(&mut self, tag: Tag) -> Option<R> {
        let entry = self.entry(tag)?;
        if matches!(entry.state, State::Sent) {
            entry.abandoned = true;
            return None;
        }
        self.remove(tag).map(|entry| entry.request)
    }

    /// Calls `see` for every request whose client waits.
    pub fn for_each_waiting(&self, mut see: impl FnMut(&R)) {
        for entry in self.places.iter().filter_map(|p| p.entry.as_ref()) {
            if !entry.abandoned && !matches!(entry.state, State::Done(_)) {
                see(&entry.request);
            }
        }
    }

    /// Calls `see` for every request that nobody waits for.
    pub fn for_each_detached(&mut self, mut see: impl FnMut(&mut R)) {
        for entry in self.places.iter_mut().filter_map(|p| p.entry.as_mut()) {
            if entry.abandoned {
                see(&mut entry.request);
            }
        }
    }

    fn tags(&self) -> Vec<Tag> {
        let live = self.places.iter().enumerate().filter(|(_, p)| p.entry.is_some());
        let mut tags: Vec<(u64, Tag)> = live
            .map(|(i, p)| (p.entry.as_ref().map_or(0, |e| e.sequence), Tag::new(i, p.generation)))
            .collect();
        tags.sort_unstable();
        tags.into_iter().map(|(_, tag)| tag).collect()
    }

    /// The daemon died and no other will come: every unanswered request is done with `answer()`. Calls `wake` for each whose client waits; returns
    /// the abandoned ones.
    pub fn fail_all(&mut self, mut answer: impl FnMut() -> A, mut wake: impl FnMut(&R)) -> Vec<R> {
        let mut gone = Vec::new();
        self.queue.clear();
        for tag in self.tags() {
            let Some(entry) = self.entry(tag) else { continue };
            if entry.abandoned {
                gone.extend(self.remove(tag).map(|e| e.request));
            } else if !matches!(entry.state, State::Done(_)) {
                entry.state = State::Done(answer());
                wake(&entry.request);
            }
        }
        gone
    }

    /// The daemon died and a successor may come: what it had is queued again, in the order of submission. Requests whose client was giving up are done
    /// with `cancelled()`, and `wake` is called for them; abandoned ones that the daemon had, and those that `is_over` holds for, are returned.
    pub fn requeue_all(&mut self, mut cancelled: impl FnMut() -> A, mut wake: impl FnMut(&R), is_over: impl Fn(&R) -> bool) -> Vec<R> {
        let mut gone = Vec::new();
        self.queue.clear();
        for tag in self.tags() {
            let Some(entry) = self.entry(tag) else { continue };
            match entry.state {
                _ if is_over(&entry.request) => gone.extend(self.remove(tag).map(|e| e.request)),
                State::Sent if entry.abandoned => gone.extend(self.remove(tag).map(|e| e.request)),
                State::Sent if entry.cancelled => {
                    entry.state = State::Done(cancelled());
                    wake(&entry.request);
                }
                State::Sent | State::Queued => {
                    entry.state = State::Queued;
                    self.queue.push_back(Item::Request(tag));
                }
                State::Done(_) => {}
            }
        }
        gone
    }
}
