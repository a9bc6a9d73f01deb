use super::*;

/// A disk of 1 MiB with 512-byte blocks: partition 1 (blocks 40-79, `boot`) and 3 (blocks 80-1999, `genai-root`).
fn disk() -> Vec<u8> {
    let mut disk = vec![0; 1 << 20];
    let mut entries = vec![0; 128 * 128];
    for (number, first, last, name) in [(1usize, 40u64, 79u64, "boot"), (3, 80, 1999, "genai-root")]
    {
        let entry = &mut entries[128 * (number - 1)..][..128];
        entry[..16].fill(0xaa);
        entry[16..32].copy_from_slice(&(0..16).collect::<Vec<u8>>());
        entry[32..40].copy_from_slice(&first.to_le_bytes());
        entry[40..48].copy_from_slice(&last.to_le_bytes());
        for (unit, place) in name.encode_utf16().zip(entry[56..].chunks_exact_mut(2)) {
            place.copy_from_slice(&unit.to_le_bytes());
        }
    }
    for (header_block, entries_block) in [(1usize, 2u64), (2047, 2015)] {
        let mut header = vec![0u8; 92];
        header[..8].copy_from_slice(b"EFI PART");
        header[12..16].copy_from_slice(&92u32.to_le_bytes());
        header[72..80].copy_from_slice(&entries_block.to_le_bytes());
        header[80..84].copy_from_slice(&128u32.to_le_bytes());
        header[84..88].copy_from_slice(&128u32.to_le_bytes());
        header[88..92].copy_from_slice(&crc32fast::hash(&entries).to_le_bytes());
        let crc = crc32fast::hash(&header);
        header[16..20].copy_from_slice(&crc.to_le_bytes());
        disk[512 * header_block..][..92].copy_from_slice(&header);
        disk[512 * entries_block as usize..][..entries.len()].copy_from_slice(&entries);
    }
    disk
}

fn read_disk(disk: &[u8]) -> Result<Vec<Partition>, TableError> {
    read(&mut &*disk, disk.len() as u64, 512)
}

#[test]
fn partitions_have_numbers_places_and_names() {
    let found = read_disk(&disk()).unwrap();
    let summary: Vec<_> = found
        .iter()
        .map(|part| (part.number, part.start, part.len, &*part.name))
        .collect();
    assert_eq!(
        summary,
        [
            (1, 40 * 512, 40 * 512, "boot"),
            (3, 80 * 512, 1920 * 512, "genai-root")
        ]
    );
    assert_eq!(found[0].guid_text(), "03020100-0504-0706-0809-0a0b0c0d0e0f");
}

#[test]
fn the_backup_is_used_where_the_primary_is_damaged() {
    let mut damaged = disk();
    damaged[512 + 40] ^= 1;
    assert_eq!(read_disk(&damaged).unwrap().len(), 2);
    damaged[512 * 2015 + 5] ^= 1;
    assert!(matches!(
        read_disk(&damaged),
        Err(TableError::Damaged("wrong header checksum"))
    ));
    damaged[512..1024].fill(0);
    assert!(matches!(
        read_disk(&damaged),
        Err(TableError::Damaged("wrong checksum of the entries"))
    ));
}

#[test]
fn empty_and_tiny_disks_have_no_table() {
    assert!(matches!(read_disk(&vec![0; 4096]), Err(TableError::None)));
    assert!(matches!(read_disk(&[]), Err(TableError::None)));
    assert!(matches!(read_disk(&[0xff; 700]), Err(TableError::None)));
}

#[test]
fn no_damage_makes_it_panic_or_lie() {
    let good = disk();
    // A small linear congruential generator: reproducible, no dependency.
    let mut state = 1u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    for _ in 0..2000 {
        let mut damaged = good.clone();
        for _ in 0..1 + random() % 8 {
            let at = if random() % 2 == 0 {
                512 + random() % 92
            } else {
                512 * 2047 + random() % 92
            };
            damaged[at as usize] = random() as u8;
            // With the checksum made right, the other checks must hold.
            for header in [512, 512 * 2047] {
                damaged[header + 16..header + 20].fill(0);
                let len = u32_at(&damaged, header + 12).clamp(92, 512) as usize;
                let crc = crc32fast::hash(&damaged[header..(header + len).min(good.len())]);
                damaged[header + 16..header + 20].copy_from_slice(&crc.to_le_bytes());
            }
        }
        for part in read_disk(&damaged).unwrap_or_default() {
            assert!(part.start + part.len <= good.len() as u64);
        }
    }
}
