//! Internet sockets over the loop-back device. The output is the same on every kernel that is Linux to programs: nothing printed depends on time,
//! process numbers, ephemeral ports or the order of threads.

mod messages;
mod netlink;
mod options;
mod tcp;
mod udp;

fn main() {
    let sections: [(&str, fn()); 19] = [
        ("tcp echo", tcp::echo),
        ("tcp half-closed", tcp::half_closed),
        ("tcp refused", tcp::refused),
        ("tcp without blocking", tcp::without_blocking),
        ("tcp ports", tcp::ports),
        ("tcp backlog", tcp::backlog),
        ("tcp resets", tcp::resets),
        ("tcp looking ahead", tcp::looking_ahead),
        ("tcp bulk", tcp::bulk),
        ("tcp addresses", tcp::addresses),
        ("udp", udp::echo),
        ("udp refused", udp::refused),
        ("udp choice", udp::choice),
        ("udp reports", udp::reports),
        ("options", options::options),
        ("udp messages", messages::messages),
        ("segments", messages::segments),
        ("proc", tcp::listed),
        ("netlink", netlink::route),
    ];
    for (name, section) in sections {
        println!("== {name}");
        section();
    }
    println!("== end");
}

/// An error's number in words.
fn error<T>(result: std::io::Result<T>) -> String {
    match result {
        Ok(_) => "success".into(),
        Err(error) => error.raw_os_error().map_or_else(|| error.to_string(), |number| format!("{:?}", rustix::io::Errno::from_raw_os_error(number))),
    }
}
