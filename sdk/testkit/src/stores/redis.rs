//! redis-server as a child: what it holds can be rebuilt, so nothing is written to the disk.

use std::io;
use std::path::Path;

use super::child::ChildSpec;
use super::secrets::{private_folder, write_private};
use super::{Folder, GRACE, wire};

pub(super) fn spec(folder: &Folder<'_>, program: &Path, port: u16, password: &str) -> io::Result<ChildSpec> {
    let data = folder.dir.join("redis");
    private_folder(&data)?;
    let config = folder.dir.join("redis.conf");
    write_private(&config, configuration(port, password, &data).as_bytes())?;
    Ok(ChildSpec {
        name: "redis".into(),
        program: program.into(),
        args: vec![config.into()],
        env: vec![],
        log: folder.log("redis"),
        grace: GRACE,
    })
}

fn configuration(port: u16, password: &str, data: &Path) -> String {
    format!(
        "bind 127.0.0.1\nport {port}\nprotected-mode yes\nrequirepass {password}\n\
         dir \"{}\"\nsave \"\"\nappendonly no\ndaemonize no\n",
        data.display()
    )
}

/// Whether it answers to its password.
pub(super) async fn answers(port: u16, password: &str) -> bool {
    wire::says(port, &format!("AUTH {password}\r\nPING\r\n"), "+PONG").await
}

pub(super) fn url(port: u16, password: &str) -> String {
    format!("redis://:{password}@127.0.0.1:{port}/0")
}
