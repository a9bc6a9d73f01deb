# From the loader, in 32-bit protected mode, to frame_boot in long mode. Assembled in AT&T syntax.
#
# The boot page tables map the first 4 GiB of physical memory with 2 MiB pages three times: at 0 (until long mode is reached, and later for the
# other CPUs' start), at the direct map, and the first 2 GiB of them at KERNEL_BASE.

.set KERNEL_BASE, 0xffffffff80000000
.set MULTIBOOT2_MAGIC, 0xe85250d6

.section .boot.header, "a", @progbits
.balign 8
multiboot2_header:
    .long MULTIBOOT2_MAGIC
    .long 0                                         # i386, protected mode
    .long multiboot2_header_end - multiboot2_header
    .long -(MULTIBOOT2_MAGIC + 0 + (multiboot2_header_end - multiboot2_header))
    .balign 8
    .word 5, 1                                      # framebuffer, optional
    .long 20, 1280, 800, 32
    .balign 8
    .word 6, 0                                      # modules on page boundaries
    .long 8
    .balign 8
    .word 0, 0                                      # end
    .long 8
multiboot2_header_end:

# XEN_ELFNOTE_PHYS32_ENTRY: where PVH loaders enter.
.section .note.Xen, "a", @note
.balign 4
    .long 4, 8, 18
    .asciz "Xen"
    .quad boot_pvh

.section .boot.text, "ax", @progbits
.code32
.global boot_multiboot2
boot_multiboot2:
    cli
    movl $1, %edi
    cmpl $0x36d76289, %eax
    je boot_common
0:  hlt                                             # not loaded as promised, and no way to say so
    jmp 0b

.global boot_pvh
boot_pvh:
    cli
    movl $0, %edi
boot_common:
    cld
    movl %ebx, %esi
    movl $(boot_stack_top - KERNEL_BASE), %esp
    pushl %esi
    pushl %edi

    # Four page directories of 2 MiB pages.
    movl $(boot_pd - KERNEL_BASE), %edi
    movl $0x83, %eax                                # present, writable, large
    movl $2048, %ecx
1:  movl %eax, (%edi)
    movl $0, 4(%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 1b

    movl $(boot_pd - KERNEL_BASE + 3), %eax
    movl $(boot_pdpt_low - KERNEL_BASE), %edi
    movl %eax, (%edi)
    leal 0x1000(%eax), %edx
    movl %edx, 8(%edi)
    leal 0x2000(%eax), %edx
    movl %edx, 16(%edi)
    leal 0x3000(%eax), %edx
    movl %edx, 24(%edi)
    movl $(boot_pdpt_high - KERNEL_BASE), %edi
    movl %eax, 4080(%edi)
    leal 0x1000(%eax), %edx
    movl %edx, 4088(%edi)
    movl $(boot_pml4 - KERNEL_BASE), %edi
    movl $(boot_pdpt_low - KERNEL_BASE + 3), (%edi)
    movl $(boot_pdpt_low - KERNEL_BASE + 3), 2048(%edi)
    movl $(boot_pdpt_high - KERNEL_BASE + 3), 4088(%edi)

    popl %edi
    popl %esi
    call enable_long_mode
    lgdtl boot_gdt_pointer
    ljmpl $0x10, $boot_long

# Turns on PAE, long mode, write protection and paging with the boot page tables. Changes eax, ecx, edx.
enable_long_mode:
    movl $(boot_pml4 - KERNEL_BASE), %eax
    movl %eax, %cr3
    movl %cr4, %eax
    orl $0x20, %eax
    movl %eax, %cr4
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl %cr0, %eax
    orl $0x80010001, %eax
    movl %eax, %cr0
    ret

.balign 8
boot_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff                        # 0x08 32-bit code
    .quad 0x00af9b000000ffff                        # 0x10 64-bit code
    .quad 0x00cf93000000ffff                        # 0x18 data
boot_gdt_pointer:
    .word 31
    .long boot_gdt, 0

.code64
boot_long:
    movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movabsq $boot_stack_top, %rsp
    xorl %ebp, %ebp
    pushq $0                                        # ends backtraces; twice for alignment
    pushq $0
    movl %edi, %edi
    movl %esi, %esi
    movabsq $frame_boot, %rax
    call *%rax
    ud2

# The other CPUs start here, copied to AP_TRAMPOLINE, in real mode with cs = AP_TRAMPOLINE >> 4.
.set AP_TRAMPOLINE, 0x8000
.code16
.global ap_trampoline
ap_trampoline:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    lgdtl AP_TRAMPOLINE + (ap_gdt_pointer - ap_trampoline)
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $0x08, $(AP_TRAMPOLINE + (ap_protected - ap_trampoline))
ap_gdt_pointer:
    .word 31
    .long boot_gdt
.code32
ap_protected:
    movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $(AP_TRAMPOLINE + 0x1000), %esp            # the trampoline's page is ours
    movl $enable_long_mode, %eax
    call *%eax
    ljmpl $0x10, $ap_long
.global ap_trampoline_end
ap_trampoline_end:
.code64
ap_long:
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movabsq $ap_start_efer, %rax                    # as the boot CPU: the kernel's tables use NX
    movl (%rax), %eax
    xorl %edx, %edx
    movl $0xc0000080, %ecx
    wrmsr
    movabsq $ap_start_root, %rax
    movq (%rax), %rax
    movabsq $ap_switch, %rcx                        # in the kernel's image: its tables have no identity map
    jmp *%rcx

.section .text.boot_ap, "ax", @progbits
ap_switch:
    movq %rax, %cr3
    movq ap_start_stack(%rip), %rsp
    movl ap_start_id(%rip), %edi
    xorl %ebp, %ebp
    pushq $0
    pushq $0
    call frame_boot_ap
    ud2

.section .bss.boot, "aw", @nobits
.balign 4096
.global boot_pml4
boot_pml4: .skip 4096
boot_pdpt_low: .skip 4096
boot_pdpt_high: .skip 4096
boot_pd: .skip 4 * 4096
.global boot_stack_guard
boot_stack_guard: .skip 4096                        # not mapped by the kernel's table
boot_stack: .skip 64 * 1024
.global boot_stack_top
boot_stack_top:
.balign 8
.global ap_start_stack
ap_start_stack: .skip 8
.global ap_start_id
ap_start_id: .skip 8
.global ap_start_efer
ap_start_efer: .skip 8
.global ap_start_root
ap_start_root: .skip 8
