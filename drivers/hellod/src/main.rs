//! `/scheme/hello/<name>` greets that name; a write to any file there changes the greeting.

use scheme::{Context, Errno, Handles, Opened, Result, Scheme, SchemeFlags, SchemeSocket};
use scheme::{Server, Stat};

struct Hello {
    greeting: String,
    names: Handles<String>,
}

impl Hello {
    fn text(&mut self, handle: u64) -> Result<String> {
        Ok(format!("{}, {}!\n", self.greeting, self.names.get(handle)?))
    }
}

impl Scheme for Hello {
    fn openat(&mut self, _: &mut Context, _: u64, path: &str, _: u64) -> Result<Opened> {
        let name = if path.is_empty() { "world" } else { path };
        Ok(Opened::Handle(self.names.insert(name.to_owned())))
    }

    fn read(&mut self, _: &mut Context, file: u64, to: &mut [u8], offset: u64) -> Result<usize> {
        let text = self.text(file)?;
        let rest = text.as_bytes().get(offset as usize..).unwrap_or(&[]);
        let len = rest.len().min(to.len());
        to[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn write(&mut self, _: &mut Context, _: u64, data: &[u8], _: u64) -> Result<usize> {
        let greeting = std::str::from_utf8(data).map_err(|_| Errno::ILSEQ)?;
        self.greeting = greeting.trim_end().to_owned();
        Ok(data.len())
    }

    fn fstat(&mut self, file: u64) -> Result<Stat> {
        let mut stat = Stat::default();
        (stat.st_mode, stat.st_nlink) = (0o100644, 1);
        stat.st_size = self.text(file)?.len() as u64;
        Ok(stat)
    }

    fn on_close(&mut self, file: u64) {
        self.names.remove(file);
    }
}

fn main() -> std::io::Result<()> {
    let (greeting, names) = ("Hello".to_owned(), Handles::new());
    let socket = SchemeSocket::create("hello", SchemeFlags::NONE)?;
    Server::new(socket)?.run(&mut Hello { greeting, names })
}

#[cfg(test)]
mod tests;
