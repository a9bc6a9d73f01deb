//! Codes of keys and buttons: Linux's `KEY_*` and `BTN_*`, named after the US layout.

/// `KEY_ESC`.
pub const ESC: u16 = 1;
/// `KEY_1`.
pub const NUM_1: u16 = 2;
/// `KEY_2`.
pub const NUM_2: u16 = 3;
/// `KEY_3`.
pub const NUM_3: u16 = 4;
/// `KEY_4`.
pub const NUM_4: u16 = 5;
/// `KEY_5`.
pub const NUM_5: u16 = 6;
/// `KEY_6`.
pub const NUM_6: u16 = 7;
/// `KEY_7`.
pub const NUM_7: u16 = 8;
/// `KEY_8`.
pub const NUM_8: u16 = 9;
/// `KEY_9`.
pub const NUM_9: u16 = 10;
/// `KEY_0`.
pub const NUM_0: u16 = 11;
/// `KEY_MINUS`.
pub const MINUS: u16 = 12;
/// `KEY_EQUAL`.
pub const EQUAL: u16 = 13;
/// `KEY_BACKSPACE`.
pub const BACKSPACE: u16 = 14;
/// `KEY_TAB`.
pub const TAB: u16 = 15;
/// `KEY_Q`.
pub const Q: u16 = 16;
/// `KEY_W`.
pub const W: u16 = 17;
/// `KEY_E`.
pub const E: u16 = 18;
/// `KEY_R`.
pub const R: u16 = 19;
/// `KEY_T`.
pub const T: u16 = 20;
/// `KEY_Y`.
pub const Y: u16 = 21;
/// `KEY_U`.
pub const U: u16 = 22;
/// `KEY_I`.
pub const I: u16 = 23;
/// `KEY_O`.
pub const O: u16 = 24;
/// `KEY_P`.
pub const P: u16 = 25;
/// `KEY_LEFTBRACE`.
pub const LEFT_BRACE: u16 = 26;
/// `KEY_RIGHTBRACE`.
pub const RIGHT_BRACE: u16 = 27;
/// `KEY_ENTER`.
pub const ENTER: u16 = 28;
/// `KEY_LEFTCTRL`.
pub const LEFT_CTRL: u16 = 29;
/// `KEY_A`.
pub const A: u16 = 30;
/// `KEY_S`.
pub const S: u16 = 31;
/// `KEY_D`.
pub const D: u16 = 32;
/// `KEY_F`.
pub const F: u16 = 33;
/// `KEY_G`.
pub const G: u16 = 34;
/// `KEY_H`.
pub const H: u16 = 35;
/// `KEY_J`.
pub const J: u16 = 36;
/// `KEY_K`.
pub const K: u16 = 37;
/// `KEY_L`.
pub const L: u16 = 38;
/// `KEY_SEMICOLON`.
pub const SEMICOLON: u16 = 39;
/// `KEY_APOSTROPHE`.
pub const APOSTROPHE: u16 = 40;
/// `KEY_GRAVE`.
pub const GRAVE: u16 = 41;
/// `KEY_LEFTSHIFT`.
pub const LEFT_SHIFT: u16 = 42;
/// `KEY_BACKSLASH`.
pub const BACKSLASH: u16 = 43;
/// `KEY_Z`.
pub const Z: u16 = 44;
/// `KEY_X`.
pub const X: u16 = 45;
/// `KEY_C`.
pub const C: u16 = 46;
/// `KEY_V`.
pub const V: u16 = 47;
/// `KEY_B`.
pub const B: u16 = 48;
/// `KEY_N`.
pub const N: u16 = 49;
/// `KEY_M`.
pub const M: u16 = 50;
/// `KEY_COMMA`.
pub const COMMA: u16 = 51;
/// `KEY_DOT`.
pub const DOT: u16 = 52;
/// `KEY_SLASH`.
pub const SLASH: u16 = 53;
/// `KEY_RIGHTSHIFT`.
pub const RIGHT_SHIFT: u16 = 54;
/// `KEY_KPASTERISK`.
pub const KP_ASTERISK: u16 = 55;
/// `KEY_LEFTALT`.
pub const LEFT_ALT: u16 = 56;
/// `KEY_SPACE`.
pub const SPACE: u16 = 57;
/// `KEY_CAPSLOCK`.
pub const CAPS_LOCK: u16 = 58;
/// `KEY_F1`.
pub const F1: u16 = 59;
/// `KEY_F2`.
pub const F2: u16 = 60;
/// `KEY_F3`.
pub const F3: u16 = 61;
/// `KEY_F4`.
pub const F4: u16 = 62;
/// `KEY_F5`.
pub const F5: u16 = 63;
/// `KEY_F6`.
pub const F6: u16 = 64;
/// `KEY_F7`.
pub const F7: u16 = 65;
/// `KEY_F8`.
pub const F8: u16 = 66;
/// `KEY_F9`.
pub const F9: u16 = 67;
/// `KEY_F10`.
pub const F10: u16 = 68;
/// `KEY_NUMLOCK`.
pub const NUM_LOCK: u16 = 69;
/// `KEY_SCROLLLOCK`.
pub const SCROLL_LOCK: u16 = 70;
/// `KEY_KP7`.
pub const KP_7: u16 = 71;
/// `KEY_KP8`.
pub const KP_8: u16 = 72;
/// `KEY_KP9`.
pub const KP_9: u16 = 73;
/// `KEY_KPMINUS`.
pub const KP_MINUS: u16 = 74;
/// `KEY_KP4`.
pub const KP_4: u16 = 75;
/// `KEY_KP5`.
pub const KP_5: u16 = 76;
/// `KEY_KP6`.
pub const KP_6: u16 = 77;
/// `KEY_KPPLUS`.
pub const KP_PLUS: u16 = 78;
/// `KEY_KP1`.
pub const KP_1: u16 = 79;
/// `KEY_KP2`.
pub const KP_2: u16 = 80;
/// `KEY_KP3`.
pub const KP_3: u16 = 81;
/// `KEY_KP0`.
pub const KP_0: u16 = 82;
/// `KEY_KPDOT`.
pub const KP_DOT: u16 = 83;
/// `KEY_102ND`.
pub const KEY_102ND: u16 = 86;
/// `KEY_F11`.
pub const F11: u16 = 87;
/// `KEY_F12`.
pub const F12: u16 = 88;
/// `KEY_KPENTER`.
pub const KP_ENTER: u16 = 96;
/// `KEY_RIGHTCTRL`.
pub const RIGHT_CTRL: u16 = 97;
/// `KEY_KPSLASH`.
pub const KP_SLASH: u16 = 98;
/// `KEY_SYSRQ`.
pub const SYSRQ: u16 = 99;
/// `KEY_RIGHTALT`.
pub const RIGHT_ALT: u16 = 100;
/// `KEY_HOME`.
pub const HOME: u16 = 102;
/// `KEY_UP`.
pub const UP: u16 = 103;
/// `KEY_PAGEUP`.
pub const PAGE_UP: u16 = 104;
/// `KEY_LEFT`.
pub const LEFT: u16 = 105;
/// `KEY_RIGHT`.
pub const RIGHT: u16 = 106;
/// `KEY_END`.
pub const END: u16 = 107;
/// `KEY_DOWN`.
pub const DOWN: u16 = 108;
/// `KEY_PAGEDOWN`.
pub const PAGE_DOWN: u16 = 109;
/// `KEY_INSERT`.
pub const INSERT: u16 = 110;
/// `KEY_DELETE`.
pub const DELETE: u16 = 111;
/// `KEY_MUTE`.
pub const MUTE: u16 = 113;
/// `KEY_VOLUMEDOWN`.
pub const VOLUME_DOWN: u16 = 114;
/// `KEY_VOLUMEUP`.
pub const VOLUME_UP: u16 = 115;
/// `KEY_POWER`.
pub const POWER: u16 = 116;
/// `KEY_PAUSE`.
pub const PAUSE: u16 = 119;
/// `KEY_LEFTMETA`.
pub const LEFT_META: u16 = 125;
/// `KEY_RIGHTMETA`.
pub const RIGHT_META: u16 = 126;
/// `KEY_COMPOSE`.
pub const COMPOSE: u16 = 127;
/// `KEY_SLEEP`.
pub const SLEEP: u16 = 142;
/// `KEY_WAKEUP`.
pub const WAKE_UP: u16 = 143;
/// `BTN_LEFT`.
pub const BUTTON_LEFT: u16 = 0x110;
/// `BTN_RIGHT`.
pub const BUTTON_RIGHT: u16 = 0x111;
/// `BTN_MIDDLE`.
pub const BUTTON_MIDDLE: u16 = 0x112;
