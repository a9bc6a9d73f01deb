//! Page tables.

use alloc::vec::Vec;

use frame::mm::{self, Frame, USER_END};
use frame::paging::{self, CopyMode, MapError, MapTarget, PageTable, PteFlags};
use frame::phys::CacheMode;
use frame::user;

pub const RW: PteFlags = PteFlags::READ.union(PteFlags::WRITE);

pub fn maps() {
    let before = mm::stats();
    {
        let table = PageTable::new().expect("a table");
        let mut tlb = table.gather();
        let frame = Frame::alloc_zeroed().expect("a frame");
        frame.write(0, b"first");
        for va in [0x1000, 0x40_0000_0000, USER_END - 4096] {
            assert!(table.map(va, MapTarget::Ram(frame.clone()), RW, &mut tlb).is_ok_and(|old| old.is_none()));
        }
        assert_eq!(frame.refcount(), 4);
        for bad in [USER_END, 0xffff_8000_0000_0000, 0x1001] {
            assert_eq!(table.map(bad, MapTarget::Ram(frame.clone()), RW, &mut tlb).err(), Some(MapError::BadAddress));
        }
        // RAM is mapped by frames only.
        assert_eq!(table.map(0x2000, MapTarget::Phys(frame.paddr(), CacheMode::WriteBack), RW, &mut tlb).err(), Some(MapError::BadAddress));
        assert!(table.map(0x2000, MapTarget::Phys(0xfed0_0000, CacheMode::Uncached), PteFlags::READ, &mut tlb).is_ok());
        assert_eq!(table.map_if_empty(0x1000, MapTarget::Ram(frame.clone()), RW), Ok(false));

        table.activate();
        let mut bytes = [0; 5];
        user::copy_from_user(&mut bytes, 0x40_0000_0000).expect("mapped");
        assert_eq!(&bytes, b"first");
        user::write_u8(0x1000, b'F').expect("writable");
        frame.read(0, &mut bytes);
        assert_eq!(&bytes, b"First");
        let info = table.info(0x1000).expect("mapped");
        assert!(info.accessed && info.dirty && info.ram && info.flags == RW);
        assert!(table.test_clear_dirty(0x1000, &mut tlb) && table.test_clear_accessed(0x1000));
        assert!(!table.info(0x1000).expect("mapped").dirty);

        assert!(table.protect(0x1000, PteFlags::READ | PteFlags::SOFT_A, &mut tlb));
        tlb.flush();
        assert!(user::write_u8(0x1000, 1).is_err() && user::read_u8(0x1000).is_ok());
        assert!(table.protect(0x1000, PteFlags::SOFT_B, &mut tlb));
        tlb.flush();
        assert!(user::read_u8(0x1000).is_err());
        assert!(table.query(0x1000).is_some_and(|e| e.flags == PteFlags::SOFT_B && e.target == MapTarget::Ram(frame.clone())));

        let mut seen = Vec::new();
        table.for_each_present(0, USER_END, |va, _| seen.push(va));
        assert_eq!(seen, [0x1000, 0x2000, 0x40_0000_0000, USER_END - 4096]);

        table.move_range(0x1000, 0x3000, 0x7000_0000, &mut tlb).expect("moved");
        assert!(table.info(0x1000).is_none() && table.info(0x7000_0000).is_some() && table.info(0x7000_1000).is_some_and(|i| !i.ram));

        let entry = table.unmap(0x40_0000_0000, &mut tlb).expect("mapped");
        assert_eq!(entry.target, MapTarget::Ram(frame.clone()));
        drop(entry);
        tlb.flush();
        assert_eq!(frame.refcount(), 3);
        assert!(user::read_u8(0x40_0000_0000).is_err());
        let tables = table.table_frames();
        table.unmap_range(0, USER_END, &mut tlb);
        tlb.flush();
        assert_eq!(frame.refcount(), 1);
        assert!(table.table_frames() < tables, "empty tables are freed");
        // Still active when dropped.
        assert!(table.map(0x5000, MapTarget::Ram(frame.clone()), RW, &mut tlb).is_ok());
        assert!(table.is_active_here());
    }
    paging::activate_none();
    let after = mm::stats();
    assert_eq!(before.page_tables, after.page_tables);
}

pub fn copies() {
    const PAGES: u64 = 1000;
    const START: u64 = 0x10_0000;
    let parent = PageTable::new().expect("a table");
    let child = PageTable::new().expect("a table");
    let mut tlb = parent.gather();
    for i in 0..PAGES {
        let frame = Frame::alloc_zeroed().expect("a frame");
        frame.write_u64(0, i);
        assert!(parent.map(START + i * 4096, MapTarget::Ram(frame), RW, &mut tlb).is_ok());
    }
    let end = START + PAGES * 4096;
    parent.copy_range(START, end - 4096, &child, CopyMode::CopyOnWrite, &mut tlb).expect("memory");
    parent.copy_range(end - 4096, end, &child, CopyMode::Share, &mut tlb).expect("memory");
    tlb.flush();
    for (i, table) in [&parent, &child].iter().enumerate() {
        table.activate();
        for page in 0..PAGES {
            let va = START + page * 4096;
            assert_eq!(user::read_u64(va), Ok(page));
            let writable = user::write_u64(va + 8, i as u64).is_ok();
            assert_eq!(writable, page == PAGES - 1, "page {page} of table {i}");
            assert_eq!(table.info(va).map(|info| info.refcount), Some(2));
        }
    }
    drop(tlb);
    drop(child);
    parent.activate();
    assert_eq!(parent.info(START).map(|info| info.refcount), Some(1));
    paging::activate_none();
}
