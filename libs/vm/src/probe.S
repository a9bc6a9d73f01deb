# A boot sector that shows whether a virtual machine works: it enters 64-bit mode with paging, computes for some tens of
# milliseconds, and hands 0x15 to QEMU's isa-debug-exit if the result is right.
#
# The BIOS loads it at 0x7c00. Memory from 0x1000 to 0x3fff holds its page tables: the first 2 MiB mapped to themselves.
    .pushsection .rodata
    .globl gos_probe_sector
gos_probe_sector:
    .code16
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    movw $0x1000, %di
    movw $0x1800, %cx
    cld
    rep stosw
    movw $0x2003, 0x1000
    movw $0x3003, 0x2000
    movw $0x0083, 0x3000
    movl $0x1000, %eax
    movl %eax, %cr3
    movl $0x20, %eax                    # CR4.PAE
    movl %eax, %cr4
    movl $0xc0000080, %ecx              # IA32_EFER
    rdmsr
    orl $0x100, %eax                    # .LME
    wrmsr
    lgdtl (0x7c00 + gos_probe_gdt_pointer - gos_probe_sector)
    movl %cr0, %eax
    orl $0x80000001, %eax               # CR0.PG, .PE
    movl %eax, %cr0
    ljmpw $8, $(0x7c00 + gos_probe_long_mode - gos_probe_sector)

    .code64
gos_probe_long_mode:
    movl $100000000, %ecx
    xorl %eax, %eax
gos_probe_sum:
    addl %ecx, %eax
    decl %ecx
    jnz gos_probe_sum
    cmpl $0x3adb7080, %eax              # 100000000 * 100000001 / 2, modulo 2^32
    jne gos_probe_halt
    movb $0x15, %al
    movw $0xf4, %dx
    outb %al, %dx
gos_probe_halt:
    hlt
    jmp gos_probe_halt

    .balign 8
gos_probe_gdt:
    .quad 0
    .quad 0x00209a0000000000            # 64-bit code
gos_probe_gdt_pointer:
    .word 15
    .long 0x7c00 + gos_probe_gdt - gos_probe_sector
    .fill 510 - (. - gos_probe_sector)
    .word 0xaa55
    .popsection
