//! Who listens where, as the kernel lists it.

use std::fs;

/// 127.0.0.1 in the kernel's hexadecimal digits.
pub(crate) const LOOPBACK: &str = "0100007F";

/// A socket that waits for connections.
#[derive(Debug)]
pub(crate) struct Socket {
    /// In the kernel's hexadecimal digits.
    pub(crate) address: String,
    pub(crate) port: u16,
    inode: String,
}

/// All of the machine.
pub(crate) fn listening() -> Vec<Socket> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let texts = tables.map(|table| fs::read_to_string(table).unwrap_or_default());
    texts
        .iter()
        .flat_map(|text| text.lines().skip(1))
        .filter_map(socket)
        .collect()
}

fn socket(row: &str) -> Option<Socket> {
    const LISTENS: &str = "0A";
    let columns: Vec<&str> = row.split_whitespace().collect();
    let (address, port) = columns.get(1)?.split_once(':')?;
    (*columns.get(3)? == LISTENS).then_some(Socket {
        address: address.to_owned(),
        port: u16::from_str_radix(port, 16).ok()?,
        inode: (*columns.get(9)?).to_owned(),
    })
}

/// The ports that a process listens on.
pub(crate) fn listening_of(process: u32) -> Vec<u16> {
    let open = fs::read_dir(format!("/proc/{process}/fd")).expect("a process of ours");
    let links: Vec<String> = open
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .map(|link| link.display().to_string())
        .collect();
    listening()
        .into_iter()
        .filter(|socket| links.contains(&format!("socket:[{}]", socket.inode)))
        .map(|socket| socket.port)
        .collect()
}
