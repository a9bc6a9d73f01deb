//! Programs that arrange screens (wlr-output-management).

mod common;

use std::os::unix::net::UnixStream;

use common::Fixture;
use common::client::receive;
use wayland_client::protocol::{wl_callback, wl_registry};
use wayland_client::{Connection, Dispatch, EventQueue, Proxy, QueueHandle, delegate_noop, event_created_child};
use wayland_protocols_wlr::output_management::v1::client::{
    zwlr_output_configuration_head_v1::ZwlrOutputConfigurationHeadV1,
    zwlr_output_configuration_v1::{self, ZwlrOutputConfigurationV1},
    zwlr_output_head_v1::{self, ZwlrOutputHeadV1},
    zwlr_output_manager_v1::{self, ZwlrOutputManagerV1},
    zwlr_output_mode_v1::{self, ZwlrOutputModeV1},
};

/// A screen as the program hears of it.
struct Head {
    head: ZwlrOutputHeadV1,
    name: String,
    modes: Vec<ZwlrOutputModeV1>,
    mode: Option<ZwlrOutputModeV1>,
    location: (i32, i32),
    scale: f64,
    is_enabled: bool,
    is_finished: bool,
}

#[derive(Default)]
struct Heard {
    manager: Option<ZwlrOutputManagerV1>,
    heads: Vec<Head>,
    sizes: Vec<(ZwlrOutputModeV1, (i32, i32), bool)>,
    serial: u32,
    answer: Option<&'static str>,
    synced: u32,
}

impl Heard {
    fn size_of(&self, mode: &ZwlrOutputModeV1) -> (i32, i32) {
        self.sizes.iter().find(|(it, ..)| it == mode).unwrap().1
    }

    fn mode(&self, head: usize, size: (i32, i32)) -> ZwlrOutputModeV1 {
        self.heads[head].modes.iter().find(|mode| self.size_of(mode) == size).unwrap().clone()
    }

    fn current(&self, head: usize) -> (i32, i32) {
        self.size_of(self.heads[head].mode.as_ref().unwrap())
    }
}

impl Dispatch<wl_registry::WlRegistry, ()> for Heard {
    fn event(heard: &mut Self, registry: &wl_registry::WlRegistry, event: wl_registry::Event, _: &(), _: &Connection, qh: &QueueHandle<Self>) {
        if let wl_registry::Event::Global { name, interface, version } = event
            && interface == ZwlrOutputManagerV1::interface().name
        {
            heard.manager = Some(registry.bind(name, version, qh, ()));
        }
    }
}

impl Dispatch<wl_callback::WlCallback, ()> for Heard {
    fn event(heard: &mut Self, _: &wl_callback::WlCallback, _: wl_callback::Event, _: &(), _: &Connection, _: &QueueHandle<Self>) {
        heard.synced += 1;
    }
}

impl Dispatch<ZwlrOutputManagerV1, ()> for Heard {
    fn event(heard: &mut Self, _: &ZwlrOutputManagerV1, event: zwlr_output_manager_v1::Event, _: &(), _: &Connection, _: &QueueHandle<Self>) {
        match event {
            zwlr_output_manager_v1::Event::Head { head } => heard.heads.push(Head {
                head,
                name: String::new(),
                modes: Vec::new(),
                mode: None,
                location: (-1, -1),
                scale: 0.0,
                is_enabled: false,
                is_finished: false,
            }),
            zwlr_output_manager_v1::Event::Done { serial } => heard.serial = serial,
            _ => {}
        }
    }

    event_created_child!(Heard, ZwlrOutputManagerV1, [zwlr_output_manager_v1::EVT_HEAD_OPCODE => (ZwlrOutputHeadV1, ())]);
}

impl Dispatch<ZwlrOutputHeadV1, ()> for Heard {
    fn event(heard: &mut Self, proxy: &ZwlrOutputHeadV1, event: zwlr_output_head_v1::Event, _: &(), _: &Connection, _: &QueueHandle<Self>) {
        use zwlr_output_head_v1::Event;
        let head = heard.heads.iter_mut().find(|it| it.head == *proxy).unwrap();
        match event {
            Event::Name { name } => head.name = name,
            Event::Mode { mode } => head.modes.push(mode),
            Event::CurrentMode { mode } => head.mode = Some(mode),
            Event::Position { x, y } => head.location = (x, y),
            Event::Scale { scale } => head.scale = scale,
            Event::Enabled { enabled } => head.is_enabled = enabled == 1,
            Event::Finished => head.is_finished = true,
            _ => {}
        }
    }

    event_created_child!(Heard, ZwlrOutputHeadV1, [zwlr_output_head_v1::EVT_MODE_OPCODE => (ZwlrOutputModeV1, ())]);
}

impl Dispatch<ZwlrOutputModeV1, ()> for Heard {
    fn event(heard: &mut Self, mode: &ZwlrOutputModeV1, event: zwlr_output_mode_v1::Event, _: &(), _: &Connection, _: &QueueHandle<Self>) {
        match event {
            zwlr_output_mode_v1::Event::Size { width, height } => heard.sizes.push((mode.clone(), (width, height), false)),
            zwlr_output_mode_v1::Event::Preferred => heard.sizes.iter_mut().filter(|it| it.0 == *mode).for_each(|it| it.2 = true),
            _ => {}
        }
    }
}

impl Dispatch<ZwlrOutputConfigurationV1, ()> for Heard {
    fn event(heard: &mut Self, _: &ZwlrOutputConfigurationV1, event: zwlr_output_configuration_v1::Event, _: &(), _: &Connection, _: &QueueHandle<Self>) {
        heard.answer = match event {
            zwlr_output_configuration_v1::Event::Succeeded => Some("succeeded"),
            zwlr_output_configuration_v1::Event::Failed => Some("failed"),
            zwlr_output_configuration_v1::Event::Cancelled => Some("cancelled"),
            _ => None,
        };
    }
}

delegate_noop!(Heard: ZwlrOutputConfigurationHeadV1);

struct Program {
    connection: Connection,
    queue: EventQueue<Heard>,
    qh: QueueHandle<Heard>,
    heard: Heard,
    is_dead: bool,
}

impl Program {
    fn new(fixture: &mut Fixture) -> Program {
        let (ours, theirs) = UnixStream::pair().unwrap();
        fixture.gde.add_client(ours);
        let connection = Connection::from_socket(theirs).unwrap();
        let queue = connection.new_event_queue();
        let qh = queue.handle();
        connection.display().get_registry(&qh, ());
        let mut program = Program { connection, queue, qh, heard: Heard::default(), is_dead: false };
        program.sync(fixture);
        program.sync(fixture);
        program
    }

    fn sync(&mut self, fixture: &mut Fixture) {
        let wanted = self.heard.synced + 1;
        self.connection.display().sync(&self.qh, ());
        for _ in 0..1000 {
            self.is_dead |= self.connection.flush().is_err();
            fixture.dispatch();
            self.is_dead |= !receive(&self.connection, &mut self.queue, &mut self.heard);
            if self.heard.synced >= wanted || self.is_dead {
                // What is told when the events at hand are done comes after the answer.
                fixture.dispatch();
                return;
            }
        }
        panic!("the program gets no answer");
    }

    fn begin(&self) -> ZwlrOutputConfigurationV1 {
        self.heard.manager.as_ref().unwrap().create_configuration(self.heard.serial, &self.qh, ())
    }

    fn enable(&self, configuration: &ZwlrOutputConfigurationV1, head: usize) -> ZwlrOutputConfigurationHeadV1 {
        configuration.enable_head(&self.heard.heads[head].head, &self.qh, ())
    }

    /// The answer to an arrangement.
    fn ask(&mut self, fixture: &mut Fixture, configuration: &ZwlrOutputConfigurationV1, is_test: bool) -> Option<&'static str> {
        self.heard.answer = None;
        if is_test {
            configuration.test();
        } else {
            configuration.apply();
        }
        self.sync(fixture);
        self.sync(fixture);
        self.heard.answer
    }
}

#[test]
fn sizes_and_places_are_changed() {
    let mut fixture = Fixture::new();
    fixture.gde.add_screen("TEST-2", (1024, 768), 60_000, (0, 0), 1.0);
    let mut program = Program::new(&mut fixture);
    let heads: Vec<_> = program.heard.heads.iter().map(|head| (head.name.as_str(), head.location, head.scale, head.is_enabled)).collect();
    assert_eq!(heads, [("TEST-1", (0, 0), 1.0, true), ("TEST-2", (1280, 0), 1.0, true)]);
    assert_eq!((program.heard.current(0), program.heard.current(1)), ((1280, 800), (1024, 768)));
    let preferred = program.heard.sizes.iter().find(|it| it.0 == program.heard.mode(0, (1280, 800))).unwrap().2;
    assert!(preferred);
    for is_test in [true, false] {
        let configuration = program.begin();
        let first = program.enable(&configuration, 0);
        first.set_mode(&program.heard.mode(0, (800, 600)));
        first.set_position(1024, 0);
        program.enable(&configuration, 1).set_position(0, 0);
        assert_eq!(program.ask(&mut fixture, &configuration, is_test), Some("succeeded"));
        let is_so = fixture.gde.screens[0].output.current_mode().unwrap().size == (800, 600).into();
        assert_eq!(is_so, !is_test, "a test changes nothing");
    }
    let rects: Vec<_> = fixture.gde.screens.iter().map(|screen| fixture.gde.screen_rect(screen)).collect();
    assert_eq!(rects, [gde_layout::Rect::new(1024, 0, 800, 600), gde_layout::Rect::new(0, 0, 1024, 768)]);
    assert_eq!((program.heard.current(0), program.heard.heads[0].location, program.heard.heads[1].location), ((800, 600), (1024, 0), (0, 0)));
    // A screen that goes is told of.
    let output = fixture.gde.screens[1].output.clone();
    fixture.gde.remove_screen(&output);
    program.sync(&mut fixture);
    program.sync(&mut fixture);
    assert!(program.heard.heads[1].is_finished && !program.heard.heads[0].is_finished);
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut fixture = Fixture::new();
    let mut program = Program::new(&mut fixture);
    type Change = fn(&ZwlrOutputConfigurationHeadV1);
    let changes: [Change; 4] = [
        |head| head.set_custom_mode(1234, 567, 0),
        |head| head.set_scale(3.5),
        |head| head.set_scale(0.5),
        |head| head.set_transform(wayland_client::protocol::wl_output::Transform::_90),
    ];
    for change in changes {
        let configuration = program.begin();
        let head = program.enable(&configuration, 0);
        head.set_position(7, 7);
        change(&head);
        assert_eq!(program.ask(&mut fixture, &configuration, false), Some("failed"));
        assert_eq!(fixture.gde.screens[0].output.current_location(), (0, 0).into());
    }
    let configuration = program.begin();
    configuration.disable_head(&program.heard.heads[0].head);
    assert_eq!(program.ask(&mut fixture, &configuration, false), Some("failed"));
    // What was begun before a change is not made after it.
    let configuration = program.begin();
    program.enable(&configuration, 0).set_position(7, 7);
    program.sync(&mut fixture);
    let output = fixture.gde.screens[0].output.clone();
    fixture.gde.resize_screen(&output, (1024, 768), 60_000);
    program.sync(&mut fixture);
    assert_eq!(program.ask(&mut fixture, &configuration, false), Some("cancelled"));
    assert!(!program.is_dead);
    // A head that is left out, and one that is named twice, are errors.
    let configuration = program.begin();
    configuration.apply();
    program.sync(&mut fixture);
    assert!(program.is_dead);
    let mut program = Program::new(&mut fixture);
    let configuration = program.begin();
    program.enable(&configuration, 0);
    program.enable(&configuration, 0);
    program.sync(&mut fixture);
    assert!(program.is_dead);
}

/// What a screen shows at a place, in its own pixels.
fn pixel(fixture: &mut Fixture, screen: usize, x: usize, y: usize) -> u32 {
    let output = fixture.gde.screens[screen].output.clone();
    let picture = fixture.gde.picture_of(&output, false).unwrap();
    picture.pixels()[y * picture.width() + x]
}

#[test]
fn everything_on_a_screen_has_its_scale() {
    let mut fixture = Fixture::new();
    fixture.gde.add_screen("TEST-2", (1024, 768), 60_000, (0, 0), 1.0);
    let mut client = fixture.client();
    let window = client.toplevel();
    window.surface.commit();
    fixture.sync(&mut client);
    client.show(&window.surface, 400, 300, 0xffff_0000);
    fixture.sync(&mut client);
    fixture.settle();
    fixture.gde.panel.is_shown = true;
    fixture.gde.screens_changed();
    fixture.settle();
    let mut program = Program::new(&mut fixture);
    let panel_before = pixel(&mut fixture, 0, 640, 20);
    for (scale, size) in [(2.0, (640, 400)), (1.25, (1024, 640))] {
        let configuration = program.begin();
        program.enable(&configuration, 0).set_scale(scale);
        program.enable(&configuration, 1);
        assert_eq!(program.ask(&mut fixture, &configuration, true), Some("succeeded"));
        let configuration = program.begin();
        program.enable(&configuration, 0).set_scale(scale);
        program.enable(&configuration, 1);
        assert_eq!(program.ask(&mut fixture, &configuration, false), Some("succeeded"));
        let rects: Vec<_> = fixture.gde.screens.iter().map(|screen| fixture.gde.screen_rect(screen)).collect();
        assert_eq!(rects, [gde_layout::Rect::new(0, 0, size.0, size.1), gde_layout::Rect::new(size.0, 0, 1024, 768)], "the neighbour follows");
        assert_eq!((program.heard.heads[0].scale, program.heard.heads[1].scale), (scale, 1.0));
        fixture.settle();
        common::save(&mut fixture, &format!("scale-{scale}.png"));
        // A window's pixels are where its logical place is.
        let id = fixture.gde.layout.focus().unwrap();
        let frame = fixture.gde.layout.frame(id).unwrap();
        let at = |v: i32| (f64::from(v) * scale) as usize;
        assert_eq!(pixel(&mut fixture, 0, at(frame.centre().x), at(frame.centre().y + 10)) & 0xff_ffff, 0xff_0000);
        for (x, is_inside) in [(frame.x - 3, false), (frame.x + 2, true), (frame.right() - 3, true), (frame.right() + 2, false)] {
            assert_eq!(pixel(&mut fixture, 0, at(x), at(frame.centre().y)) & 0xff_ffff == 0xff_0000, is_inside, "at {x}");
        }
        // The panel covers as many units as before, to the right edge.
        assert_eq!(pixel(&mut fixture, 0, 640, at(20)), panel_before);
        assert_ne!(pixel(&mut fixture, 0, 1278, at(29)), pixel(&mut fixture, 0, 1278, at(29) + at(3)), "the panel ends there");
    }
    // The settings have the last word.
    let settings = desktop_settings::Settings { displays: [("TEST-1".into(), desktop_settings::Display { scale_percent: Some(150), ..Default::default() })].into(), ..Default::default() };
    fixture.gde.apply_settings(&settings);
    assert_eq!(fixture.gde.screens[0].output.current_scale().fractional_scale(), 1.5);
    assert!(fixture.gde.set_screen("TEST-1", Some(301), None).is_err_and(|it| it.contains("not 301")));
    assert!(fixture.gde.set_screen("TEST-2", Some(300), None).is_err_and(|it| it.contains("too little room")));
    assert!(fixture.gde.set_screen("TEST-9", Some(100), None).is_err_and(|it| it.contains("TEST-9")));
}

#[test]
fn screens_are_switched_off_and_on_and_one_stays() {
    let mut fixture = Fixture::new();
    fixture.gde.add_screen("TEST-2", (1024, 768), 60_000, (0, 0), 1.0);
    let mut program = Program::new(&mut fixture);
    let states = |program: &Program| -> Vec<bool> { program.heard.heads.iter().filter(|it| !it.is_finished).map(|it| it.is_enabled).collect() };
    let configuration = program.begin();
    configuration.disable_head(&program.heard.heads[0].head);
    configuration.disable_head(&program.heard.heads[1].head);
    assert_eq!(program.ask(&mut fixture, &configuration, false), Some("failed"), "one stays on");
    assert_eq!(fixture.gde.screens.len(), 2);
    // The first one, with the panel, goes: the other one has it then, and the windows.
    let configuration = program.begin();
    configuration.disable_head(&program.heard.heads[0].head);
    program.enable(&configuration, 1).set_position(0, 0);
    assert_eq!(program.ask(&mut fixture, &configuration, false), Some("succeeded"));
    assert_eq!(states(&program), [false, true]);
    let names: Vec<String> = fixture.gde.screens.iter().map(|it| it.output.name()).collect();
    assert_eq!(names, ["TEST-2"]);
    let mut client = fixture.client();
    let window = client.toplevel();
    window.surface.commit();
    fixture.sync(&mut client);
    client.show(&window.surface, 400, 300, 0xffff_0000);
    fixture.sync(&mut client);
    fixture.settle();
    let id = fixture.gde.layout.focus().unwrap();
    let centre = fixture.gde.layout.frame(id).unwrap().centre();
    assert_eq!(pixel(&mut fixture, 0, centre.x as usize, centre.y as usize) & 0xff_ffff, 0xff_0000);
    assert!(fixture.gde.set_screen("TEST-2", None, Some(false)).is_err_and(|it| it.contains("only screen")));
    assert!(fixture.gde.set_mode("TEST-1", desktop_settings::Size { width: 800, height: 600 }).is_err_and(|it| it.contains("off")));
    // On again, with another size and scale at once.
    let configuration = program.begin();
    let head = program.enable(&configuration, 0);
    head.set_mode(&program.heard.mode(0, (1920, 1080)));
    head.set_scale(1.5);
    head.set_position(1024, 0);
    program.enable(&configuration, 1);
    assert_eq!(program.ask(&mut fixture, &configuration, false), Some("succeeded"));
    assert_eq!(states(&program), [true, true]);
    let rects: Vec<_> = fixture.gde.screens.iter().map(|screen| fixture.gde.screen_rect(screen)).collect();
    assert_eq!(rects, [gde_layout::Rect::new(0, 0, 1024, 768), gde_layout::Rect::new(1024, 0, 1280, 720)]);
    // By the settings, which cannot switch all of them off either.
    let off = desktop_settings::Display { on: false, ..Default::default() };
    let settings = |names: &[&str]| desktop_settings::Settings { displays: names.iter().map(|it| ((*it).to_owned(), off)).collect(), ..Default::default() };
    fixture.gde.apply_settings(&settings(&["TEST-1"]));
    assert_eq!((fixture.gde.screens.len(), fixture.gde.dark.len()), (1, 1));
    fixture.gde.apply_settings(&settings(&["TEST-1", "TEST-2"]));
    assert_eq!((fixture.gde.screens.len(), fixture.gde.dark.len()), (2, 0));
    // One that is off and is pulled out is gone.
    fixture.gde.apply_settings(&settings(&["TEST-1"]));
    let output = fixture.gde.dark[0].clone();
    fixture.gde.remove_screen(&output);
    program.sync(&mut fixture);
    program.sync(&mut fixture);
    assert_eq!(states(&program), [true]);
}
