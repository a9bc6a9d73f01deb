//! Copy and paste between X11 programs and others (ICCCM 2): what the desktop offers, this window manager owns at the X server; what a
//! program owns there, the desktop offers. Large things go in parts (INCR).

use std::fs::File;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::Result;
use smithay::reexports::calloop::generic::Generic;
use smithay::reexports::calloop::{Interest, Mode, PostAction};
use smithay::wayland::selection::SelectionTarget;
use x11rb::connection::Connection;
use x11rb::protocol::xfixes::{ConnectionExt as _, SelectionEventMask, SelectionNotifyEvent as OwnerNotifyEvent};
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, Property, PropertyNotifyEvent, SELECTION_NOTIFY_EVENT,
    SelectionNotifyEvent, SelectionRequestEvent, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::Wm;
use super::facts::{unless_gone, words};
use crate::x11::message::{Event, XWindow};

/// What is larger goes in parts of this size.
const PART: usize = 64 << 10;
/// What is larger is not pasted.
const MOST: usize = 64 << 20;
/// How many programs may paste, or be pasted from, at a time.
const TRANSFERS: usize = 16;
/// Who does nothing for as long has lost its turn.
const PATIENCE: Duration = Duration::from_secs(30);
/// So many forms of one thing are looked at.
const FORMS: usize = 64;

/// Words, as Wayland programs ask for them.
const WORDS: [&str; 3] = ["text/plain;charset=utf-8", "text/plain", "UTF8_STRING"];

/// The clipboard, or what is marked.
pub struct Selection {
    target: SelectionTarget,
    atom: Atom,
    /// Ours, which owns it for the desktop.
    window: XWindow,
    /// The desktop's forms, while it is the desktop's.
    forms: Vec<String>,
    /// Since when it is.
    since: u32,
    /// A program's forms, while it is a program's.
    theirs: Vec<(Atom, String)>,
    outgoing: Vec<Outgoing>,
    incoming: Vec<Incoming>,
    count: u64,
}

/// Something on its way to an X11 program.
struct Outgoing {
    number: u64,
    request: SelectionRequestEvent,
    data: Vec<u8>,
    /// How much is sent, where it goes in parts.
    sent: Option<usize>,
    last: Instant,
}

/// Something on its way from an X11 program.
struct Incoming {
    window: XWindow,
    to: OwnedFd,
    data: Vec<u8>,
    is_in_parts: bool,
    last: Instant,
}

impl Selection {
    /// Begins to listen to who owns it.
    pub fn new(conn: &RustConnection, target: SelectionTarget, atom: Atom) -> Result<Selection> {
        let window = small_window(conn)?;
        let mask = SelectionEventMask::SET_SELECTION_OWNER | SelectionEventMask::SELECTION_WINDOW_DESTROY | SelectionEventMask::SELECTION_CLIENT_CLOSE;
        conn.xfixes_select_selection_input(window, atom, mask)?;
        Ok(Selection { target, atom, window, forms: Vec::new(), since: 0, theirs: Vec::new(), outgoing: Vec::new(), incoming: Vec::new(), count: 0 })
    }
}

/// A window for properties.
fn small_window(conn: &RustConnection) -> Result<XWindow> {
    let screen = &conn.setup().roots[0];
    let window = conn.generate_id()?;
    let aux = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
    conn.create_window(screen.root_depth, window, screen.root, -1, -1, 1, 1, 0, WindowClass::INPUT_OUTPUT, screen.root_visual, &aux)?;
    Ok(window)
}

fn is_words(form: &str) -> bool {
    WORDS.contains(&form)
}

/// Text of ISO 8859-1, with question marks for what it has not.
fn to_latin(data: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(data).chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

fn from_latin(data: &[u8]) -> Vec<u8> {
    data.iter().copied().map(char::from).collect::<String>().into_bytes()
}

impl Wm {
    fn selection(&mut self, target: SelectionTarget) -> &mut Selection {
        match target {
            SelectionTarget::Clipboard => &mut self.clipboard,
            SelectionTarget::Primary => &mut self.primary,
        }
    }

    fn target_of(&self, atom: Atom) -> Option<SelectionTarget> {
        [&self.clipboard, &self.primary].into_iter().find(|it| it.atom == atom).map(|it| it.target)
    }

    fn name(&self, atom: Atom) -> Result<Option<String>> {
        let reply = unless_gone(self.conn.get_atom_name(atom)?.reply())?;
        Ok(reply.and_then(|reply| String::from_utf8(reply.name).ok()))
    }

    /// The desktop offers something, or nothing any more.
    pub(super) fn offer(&mut self, target: SelectionTarget, forms: Vec<String>) -> Result<()> {
        let selection = self.selection(target);
        let was_ours = !selection.forms.is_empty();
        let (window, atom) = (selection.window, selection.atom);
        let owner = if forms.is_empty() { x11rb::NONE } else { window };
        selection.forms = forms;
        if owner != x11rb::NONE || was_ours {
            self.conn.set_selection_owner(owner, atom, x11rb::CURRENT_TIME)?;
        }
        Ok(())
    }

    /// Someone else offers something.
    pub(super) fn selection_owner_changed(&mut self, event: &OwnerNotifyEvent) -> Result<()> {
        let Some(target) = self.target_of(event.selection) else { return Ok(()) };
        let selection = self.selection(target);
        if event.owner == selection.window {
            selection.since = event.selection_timestamp;
            selection.theirs.clear();
            return Ok(());
        }
        let window = selection.window;
        if event.owner == x11rb::NONE {
            let were_theirs = !std::mem::take(&mut selection.theirs).is_empty();
            if were_theirs {
                self.say(Event::Offers(target, Vec::new()));
            }
            return Ok(());
        }
        selection.forms.clear();
        self.conn.convert_selection(window, event.selection, self.atoms.TARGETS, self.atoms._GDE_SELECTION, event.selection_timestamp)?;
        Ok(())
    }

    /// A program answers: which forms there are, or the thing in one of them.
    pub(super) fn selection_answered(&mut self, event: &SelectionNotifyEvent) -> Result<()> {
        let Some(target) = self.target_of(event.selection) else { return Ok(()) };
        if event.requestor == self.selection(target).window {
            return self.forms_heard(target, event);
        }
        let Some(index) = self.selection(target).incoming.iter().position(|it| it.window == event.requestor) else { return Ok(()) };
        let property = self.atoms._GDE_SELECTION;
        let reply = if event.property == property { unless_gone(self.conn.get_property(true, event.requestor, property, AtomEnum::ANY, 0, MOST as u32 / 4)?.reply())? } else { None };
        let incr = self.atoms.INCR;
        let incoming = &mut self.selection(target).incoming;
        match reply {
            Some(reply) if reply.type_ == incr => {
                incoming[index].is_in_parts = true;
                incoming[index].last = Instant::now();
            }
            Some(reply) if reply.bytes_after == 0 && reply.format == 8 => {
                let it = incoming.swap_remove(index);
                let is_latin = reply.type_ == u32::from(AtomEnum::STRING);
                self.deliver(it, if is_latin { from_latin(&reply.value) } else { reply.value })?;
            }
            // Refused, or too large: who pastes sees the end.
            _ => {
                let it = incoming.swap_remove(index);
                self.conn.destroy_window(it.window)?;
            }
        }
        Ok(())
    }

    fn forms_heard(&mut self, target: SelectionTarget, event: &SelectionNotifyEvent) -> Result<()> {
        let property = self.atoms._GDE_SELECTION;
        if event.target != self.atoms.TARGETS || event.property != property {
            return Ok(());
        }
        let Some(reply) = unless_gone(self.conn.get_property(true, event.requestor, property, AtomEnum::ANY, 0, 1024)?.reply())? else { return Ok(()) };
        let mut theirs = Vec::new();
        for atom in words(&reply).into_iter().take(FORMS) {
            if let Some(name) = self.name(atom)? {
                theirs.push((atom, name));
            }
        }
        let has_words = theirs.iter().any(|(atom, _)| *atom == self.atoms.UTF8_STRING || *atom == u32::from(AtomEnum::STRING));
        let mut forms: Vec<String> = if has_words { WORDS.iter().map(|&it| it.to_owned()).collect() } else { Vec::new() };
        for (_, name) in &theirs {
            // Others are names of X11's.
            if name.contains('/') && !forms.contains(name) {
                forms.push(name.clone());
            }
        }
        let selection = self.selection(target);
        // Meanwhile the desktop may offer something.
        if selection.forms.is_empty() && !forms.is_empty() {
            selection.theirs = theirs;
            self.say(Event::Offers(target, forms));
        }
        Ok(())
    }

    /// Gets what a program offers.
    pub(super) fn receive(&mut self, target: SelectionTarget, form: &str, to: OwnedFd) -> Result<()> {
        self.drop_stale(target)?;
        let utf8 = self.atoms.UTF8_STRING;
        let string = u32::from(AtomEnum::STRING);
        let selection = self.selection(target);
        let has = |atom: Atom| selection.theirs.iter().any(|(it, _)| *it == atom);
        let named = selection.theirs.iter().find(|(_, name)| name == form).map(|(atom, _)| *atom);
        let atom = match named {
            Some(atom) => atom,
            None if is_words(form) && has(utf8) => utf8,
            None if is_words(form) && has(string) => string,
            None => return Ok(()),
        };
        let name = selection.atom;
        if selection.incoming.len() >= TRANSFERS {
            return Ok(());
        }
        let window = small_window(&self.conn)?;
        self.conn.convert_selection(window, name, atom, self.atoms._GDE_SELECTION, x11rb::CURRENT_TIME)?;
        self.selection(target).incoming.push(Incoming { window, to, data: Vec::new(), is_in_parts: false, last: Instant::now() });
        Ok(())
    }

    /// Writes what has come, on a thread of its own: who reads may be slow.
    fn deliver(&mut self, incoming: Incoming, data: Vec<u8>) -> Result<()> {
        self.conn.destroy_window(incoming.window)?;
        let writer = std::thread::Builder::new().name("clipboard".into()).stack_size(64 << 10).spawn(move || {
            // Who does not read any more has got what it wanted.
            let _ = File::from(incoming.to).write_all(&data);
        });
        if let Err(error) = writer {
            tracing::warn!("pasting: {error}");
        }
        Ok(())
    }

    /// A program wants what the desktop offers.
    pub(super) fn selection_asked(&mut self, request: &SelectionRequestEvent) -> Result<()> {
        // Very old programs name no property.
        let property = if request.property == x11rb::NONE { request.target } else { request.property };
        let request = SelectionRequestEvent { property, ..*request };
        let Some(target) = self.target_of(request.selection) else { return self.refuse(&request) };
        self.drop_stale(target)?;
        if request.target == self.atoms.TIMESTAMP {
            let since = self.selection(target).since;
            self.conn.change_property32(PropMode::REPLACE, request.requestor, property, AtomEnum::INTEGER, &[since])?;
            return self.answer(&request, property);
        }
        let forms = self.selection(target).forms.clone();
        if request.target == self.atoms.TARGETS && !forms.is_empty() {
            let mut targets = vec![self.atoms.TARGETS, self.atoms.TIMESTAMP];
            if forms.iter().any(|form| is_words(form)) {
                targets.extend([self.atoms.UTF8_STRING, AtomEnum::STRING.into(), self.atoms.TEXT]);
            }
            for form in forms.iter().take(FORMS) {
                let atom = self.conn.intern_atom(false, form.as_bytes())?.reply()?.atom;
                if !targets.contains(&atom) {
                    targets.push(atom);
                }
            }
            self.conn.change_property32(PropMode::REPLACE, request.requestor, property, AtomEnum::ATOM, &targets)?;
            return self.answer(&request, property);
        }
        let is_text = [self.atoms.UTF8_STRING, self.atoms.TEXT, AtomEnum::STRING.into()].contains(&request.target);
        let form = if is_text {
            WORDS.iter().find(|&&words| forms.iter().any(|form| form == words)).map(|&it| it.to_owned())
        } else {
            self.name(request.target)?.filter(|name| forms.contains(name))
        };
        let Some(form) = form.filter(|_| self.selection(target).outgoing.len() < TRANSFERS) else { return self.refuse(&request) };
        let (from, to) = io::pipe()?;
        crate::sys::never_wait(&from)?;
        let selection = self.selection(target);
        selection.count += 1;
        let number = selection.count;
        selection.outgoing.push(Outgoing { number, request, data: Vec::new(), sent: None, last: Instant::now() });
        let source = Generic::new(from, Interest::READ, Mode::Level);
        let added = self.events.insert_source(source, move |_, from, wm| {
            // Of the pipe nothing is dropped here.
            let is_over = wm.read_from(target, number, from);
            Ok(if is_over { PostAction::Remove } else { PostAction::Continue })
        });
        if let Err(error) = added {
            tracing::warn!("waiting for what is pasted: {error}");
            self.selection(target).outgoing.retain(|it| it.number != number);
            return self.refuse(&request);
        }
        self.say(Event::Asks(target, form, to.into()));
        Ok(())
    }

    /// Reads what the desktop's program writes; whether that is all.
    fn read_from(&mut self, target: SelectionTarget, number: u64, from: &PipeReader) -> bool {
        let Some(outgoing) = self.selection(target).outgoing.iter_mut().find(|it| it.number == number) else { return true };
        let mut buffer = [0; PART];
        let mut from = from;
        let request = match from.read(&mut buffer) {
            Ok(0) => {
                if let Err(error) = self.send_out(target, number) {
                    tracing::debug!("pasting: {error:#}");
                }
                return true;
            }
            Ok(count) if outgoing.data.len() + count <= MOST => {
                outgoing.data.extend(&buffer[..count]);
                outgoing.last = Instant::now();
                return false;
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => return false,
            Ok(_) | Err(_) => outgoing.request,
        };
        self.selection(target).outgoing.retain(|it| it.number != number);
        if let Err(error) = self.refuse(&request) {
            tracing::debug!("refusing to paste: {error:#}");
        }
        true
    }

    /// Gives a program what it has asked for, as it is all there.
    fn send_out(&mut self, target: SelectionTarget, number: u64) -> Result<()> {
        let (text, utf8, incr) = (self.atoms.TEXT, self.atoms.UTF8_STRING, self.atoms.INCR);
        let Some(index) = self.selection(target).outgoing.iter().position(|it| it.number == number) else { return Ok(()) };
        let outgoing = &mut self.selection(target).outgoing[index];
        let request = outgoing.request;
        if request.target == u32::from(AtomEnum::STRING) {
            outgoing.data = to_latin(&outgoing.data);
        }
        let size = outgoing.data.len();
        if size > PART {
            outgoing.sent = Some(0);
            outgoing.last = Instant::now();
            let aux = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE | EventMask::STRUCTURE_NOTIFY);
            self.conn.change_window_attributes(request.requestor, &aux)?;
            self.conn.change_property32(PropMode::REPLACE, request.requestor, request.property, incr, &[size as u32])?;
        } else {
            let data = self.selection(target).outgoing.swap_remove(index).data;
            let kind = if request.target == text { utf8 } else { request.target };
            self.conn.change_property8(PropMode::REPLACE, request.requestor, request.property, kind, &data)?;
        }
        self.answer(&request, request.property)?;
        self.conn.flush()?;
        Ok(())
    }

    /// A property has changed with which something goes in parts.
    pub(super) fn selection_property(&mut self, event: &PropertyNotifyEvent) -> Result<()> {
        for target in [SelectionTarget::Clipboard, SelectionTarget::Primary] {
            if event.state == Property::DELETE {
                self.send_part(target, event)?;
            } else if event.atom == self.atoms._GDE_SELECTION {
                self.receive_part(target, event.window)?;
            }
        }
        Ok(())
    }

    fn send_part(&mut self, target: SelectionTarget, event: &PropertyNotifyEvent) -> Result<()> {
        let is_meant = |it: &Outgoing| it.sent.is_some() && it.request.requestor == event.window && it.request.property == event.atom;
        let (text, utf8) = (self.atoms.TEXT, self.atoms.UTF8_STRING);
        let outgoing = &mut self.selection(target).outgoing;
        let Some(index) = outgoing.iter().position(is_meant) else { return Ok(()) };
        let it = &mut outgoing[index];
        let from = it.sent.unwrap_or(0);
        let to = it.data.len().min(from + PART);
        let part = it.data[from..to].to_vec();
        let request = it.request;
        it.sent = Some(to);
        it.last = Instant::now();
        // An empty part is the end.
        if part.is_empty() {
            outgoing.swap_remove(index);
        }
        let kind = if request.target == text { utf8 } else { request.target };
        self.conn.change_property8(PropMode::REPLACE, request.requestor, request.property, kind, &part)?;
        Ok(())
    }

    fn receive_part(&mut self, target: SelectionTarget, window: XWindow) -> Result<()> {
        let Some(index) = self.selection(target).incoming.iter().position(|it| it.window == window && it.is_in_parts) else { return Ok(()) };
        let property = self.atoms._GDE_SELECTION;
        let reply = unless_gone(self.conn.get_property(true, window, property, AtomEnum::ANY, 0, MOST as u32 / 4)?.reply())?;
        let incoming = &mut self.selection(target).incoming;
        let Some(reply) = reply.filter(|reply| reply.bytes_after == 0 && incoming[index].data.len() + reply.value.len() <= MOST) else {
            let it = incoming.swap_remove(index);
            self.conn.destroy_window(it.window)?;
            return Ok(());
        };
        if reply.value.is_empty() {
            let mut it = incoming.swap_remove(index);
            let data = std::mem::take(&mut it.data);
            return self.deliver(it, data);
        }
        let is_latin = reply.type_ == u32::from(AtomEnum::STRING);
        incoming[index].data.extend(if is_latin { from_latin(&reply.value) } else { reply.value });
        incoming[index].last = Instant::now();
        Ok(())
    }

    /// A window is gone to which something was on its way.
    pub(super) fn selection_window_gone(&mut self, window: XWindow) {
        for selection in [&mut self.clipboard, &mut self.primary] {
            selection.outgoing.retain(|it| it.request.requestor != window);
        }
    }

    /// Takes the turn of those that do nothing.
    fn drop_stale(&mut self, target: SelectionTarget) -> Result<()> {
        let selection = self.selection(target);
        selection.outgoing.retain(|it| it.last.elapsed() < PATIENCE);
        let (kept, stale): (Vec<_>, Vec<_>) = std::mem::take(&mut selection.incoming).into_iter().partition(|it| it.last.elapsed() < PATIENCE);
        selection.incoming = kept;
        for it in stale {
            self.conn.destroy_window(it.window)?;
        }
        Ok(())
    }

    fn refuse(&mut self, request: &SelectionRequestEvent) -> Result<()> {
        self.answer(request, x11rb::NONE)
    }

    /// Tells a program that what it has asked for is in a property, or that it gets nothing.
    fn answer(&mut self, request: &SelectionRequestEvent, property: Atom) -> Result<()> {
        let notify = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property,
        };
        self.conn.send_event(false, request.requestor, EventMask::NO_EVENT, notify)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_older_programs() {
        assert_eq!(to_latin("café €".as_bytes()), b"caf\xe9 ?");
        assert_eq!(from_latin(b"caf\xe9"), "café".as_bytes());
    }
}
