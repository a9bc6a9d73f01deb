//! The example, driven as the kernel would.

use super::*;
use scheme::testing::Harness;

#[test]
fn greets_by_name_and_takes_a_new_greeting() {
    let (mut kernel, socket) = Harness::new().unwrap();
    let server = std::thread::spawn(move || {
        let mut hello = Hello {
            greeting: "Hello".to_owned(),
            names: Handles::new(),
        };
        Server::new(socket).unwrap().run(&mut hello).unwrap();
        hello.names.iter_mut().count()
    });
    let world = kernel.open("", 0).unwrap();
    let ada = kernel.open("Ada", 2).unwrap();
    assert_eq!(kernel.read(world, 4096, 0).unwrap(), b"Hello, world!\n");
    assert_eq!(kernel.read(ada, 4, 7).unwrap(), b"Ada!");
    assert_eq!(kernel.read(ada, 4096, 100).unwrap(), b"");
    assert_eq!(kernel.write(ada, b"Good evening\n", 0).unwrap(), 13);
    assert_eq!(kernel.read(ada, 4096, 0).unwrap(), b"Good evening, Ada!\n");
    assert_eq!(kernel.write(ada, b"\xff", 0), Err(Errno::ILSEQ));
    kernel.close(ada);
    assert_eq!(kernel.read(ada, 4096, 0), Err(Errno::BADF));
    drop(kernel);
    assert_eq!(
        server.join().unwrap(),
        1,
        "only the first handle is still open"
    );
}
