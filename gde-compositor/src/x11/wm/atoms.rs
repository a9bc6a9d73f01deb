//! Names that X11 programs and window managers use.

x11rb::atom_manager! {
    /// The names' numbers.
    pub Atoms: AtomsCookie {
        // Between Xwayland and the compositor.
        WL_SURFACE_ID,
        // Ownership of the window manager's place.
        WM_S0,
        _NET_WM_CM_S0,
        // ICCCM.
        WM_PROTOCOLS,
        WM_TAKE_FOCUS,
        WM_DELETE_WINDOW,
        WM_CHANGE_STATE,
        WM_STATE,
        UTF8_STRING,
        TEXT,
        CLIPBOARD,
        TARGETS,
        TIMESTAMP,
        INCR,
        // EWMH.
        _NET_SUPPORTED,
        _NET_SUPPORTING_WM_CHECK,
        _NET_ACTIVE_WINDOW,
        _NET_CLIENT_LIST,
        _NET_CLIENT_LIST_STACKING,
        _NET_CLOSE_WINDOW,
        _NET_FRAME_EXTENTS,
        _NET_WM_MOVERESIZE,
        _NET_WM_NAME,
        _NET_WM_STATE,
        _NET_WM_STATE_FOCUSED,
        _NET_WM_STATE_FULLSCREEN,
        _NET_WM_STATE_HIDDEN,
        _NET_WM_STATE_MAXIMIZED_HORZ,
        _NET_WM_STATE_MAXIMIZED_VERT,
        _NET_WM_WINDOW_TYPE,
        _NET_WM_WINDOW_TYPE_COMBO,
        _NET_WM_WINDOW_TYPE_DND,
        _NET_WM_WINDOW_TYPE_DOCK,
        _NET_WM_WINDOW_TYPE_DESKTOP,
        _NET_WM_WINDOW_TYPE_DROPDOWN_MENU,
        _NET_WM_WINDOW_TYPE_NOTIFICATION,
        _NET_WM_WINDOW_TYPE_POPUP_MENU,
        _NET_WM_WINDOW_TYPE_SPLASH,
        _NET_WM_WINDOW_TYPE_TOOLTIP,
        _MOTIF_WM_HINTS,
        // Ours, for what is pasted.
        _GDE_SELECTION,
    }
}
