# Into and out of user mode, and traps in the kernel. Intel syntax. GS is the CPU's CpuLocal in the kernel, the user's in user mode.

.section .text.trap, "ax", @progbits

# frame_enter_user(rdi: *mut UserRegs, esi: use sysret) -> (rax: vector, or 0x100 for a system call; rdx: error code)
# Called with interrupts off; returns with interrupts off. The stack pointer is kept in the CPU's data, for system calls, and in its TSS, for traps.
.balign 16
.global frame_enter_user
frame_enter_user:
    push rbp
    mov rbp, rsp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov gs:[{KERNEL_RSP}], rsp
    mov gs:[{RSP0}], rsp
    mov gs:[{USER_REGS}], rdi
    test esi, esi
    jz 1f
    mov rax, [rdi + {RAX}]
    mov rbx, [rdi + {RBX}]
    mov rcx, [rdi + {RIP}]
    mov rdx, [rdi + {RDX}]
    mov rsi, [rdi + {RSI}]
    mov rbp, [rdi + {RBP}]
    mov r8, [rdi + {R8}]
    mov r9, [rdi + {R9}]
    mov r10, [rdi + {R10}]
    mov r11, [rdi + {RFLAGS}]
    mov r12, [rdi + {R12}]
    mov r13, [rdi + {R13}]
    mov r14, [rdi + {R14}]
    mov r15, [rdi + {R15}]
    mov rsp, [rdi + {RSP}]
    mov rdi, [rdi + {RDI}]
    swapgs
    sysretq
1:  push {USER_DATA}
    push qword ptr [rdi + {RSP}]
    push qword ptr [rdi + {RFLAGS}]
    push {USER_CODE}
    push qword ptr [rdi + {RIP}]
    mov rax, [rdi + {RAX}]
    mov rbx, [rdi + {RBX}]
    mov rcx, [rdi + {RCX}]
    mov rdx, [rdi + {RDX}]
    mov rsi, [rdi + {RSI}]
    mov rbp, [rdi + {RBP}]
    mov r8, [rdi + {R8}]
    mov r9, [rdi + {R9}]
    mov r10, [rdi + {R10}]
    mov r11, [rdi + {R11}]
    mov r12, [rdi + {R12}]
    mov r13, [rdi + {R13}]
    mov r14, [rdi + {R14}]
    mov r15, [rdi + {R15}]
    mov rdi, [rdi + {RDI}]
    swapgs
    iretq

# The syscall instruction: rcx is the return address, r11 the flags; interrupts are off by SFMASK.
.balign 16
.global frame_syscall_entry
frame_syscall_entry:
    swapgs
    mov gs:[{SCRATCH}], rsp
    mov rsp, gs:[{USER_REGS}]
    mov [rsp + {RAX}], rax
    mov [rsp + {RBX}], rbx
    mov [rsp + {RCX}], rcx
    mov [rsp + {RDX}], rdx
    mov [rsp + {RSI}], rsi
    mov [rsp + {RDI}], rdi
    mov [rsp + {RBP}], rbp
    mov [rsp + {R8}], r8
    mov [rsp + {R9}], r9
    mov [rsp + {R10}], r10
    mov [rsp + {R11}], r11
    mov [rsp + {R12}], r12
    mov [rsp + {R13}], r13
    mov [rsp + {R14}], r14
    mov [rsp + {R15}], r15
    mov [rsp + {RIP}], rcx
    mov [rsp + {RFLAGS}], r11
    mov rax, gs:[{SCRATCH}]
    mov [rsp + {RSP}], rax
    mov rsp, gs:[{KERNEL_RSP}]
    mov eax, 0x100
    xor edx, edx
leave_user:
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret

# A trap from user mode: the frame is below the stack pointer of frame_enter_user, with the vector and the error code pushed.
.balign 16
trap_from_user:
    swapgs
    cld
    mov gs:[{SCRATCH}], rdi
    mov rdi, gs:[{USER_REGS}]
    mov [rdi + {RAX}], rax
    mov [rdi + {RBX}], rbx
    mov [rdi + {RCX}], rcx
    mov [rdi + {RDX}], rdx
    mov [rdi + {RSI}], rsi
    mov [rdi + {RBP}], rbp
    mov [rdi + {R8}], r8
    mov [rdi + {R9}], r9
    mov [rdi + {R10}], r10
    mov [rdi + {R11}], r11
    mov [rdi + {R12}], r12
    mov [rdi + {R13}], r13
    mov [rdi + {R14}], r14
    mov [rdi + {R15}], r15
    mov rax, gs:[{SCRATCH}]
    mov [rdi + {RDI}], rax
    mov rcx, [rsp + 16]
    mov [rdi + {RIP}], rcx
    mov rcx, [rsp + 32]
    mov [rdi + {RFLAGS}], rcx
    mov rcx, [rsp + 40]
    mov [rdi + {RSP}], rcx
    mov rax, [rsp]
    mov rdx, [rsp + 8]
    mov rsp, gs:[{KERNEL_RSP}]
    jmp leave_user

.balign 16
trap_common:
    test byte ptr [rsp + 24], 3
    jnz trap_from_user
    cld
    push rax
    push rbx
    push rcx
    push rdx
    push rsi
    push rdi
    push rbp
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15
    mov rdi, rsp
    call frame_kernel_trap
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rbp
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rbx
    pop rax
    add rsp, 16
    iretq

# One stub of 16 bytes for each vector. Vectors 8, 10-14, 17, 21, 29 and 30 come with an error code.
.balign 16
.global frame_trap_stubs
frame_trap_stubs:
.set vector, 0
.rept 256
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    push 0
    .endif
    .byte 0x68                                      # push imm32: in Intel syntax a symbol would be a memory operand
    .long vector
    jmp trap_common
    .set vector, vector + 1
.endr

# NMIs are not used: nothing to do, whatever GS is.
.balign 16
.global frame_nmi
frame_nmi:
    iretq

# Double fault and machine check: on their own stacks, GS unknown.
.macro fatal number, error
    .balign 16
    .global frame_fatal_\number
frame_fatal_\number:
    .if \error == 0
    push 0
    .endif
    push \number
    mov ecx, 0xc0000101
    rdmsr
    test edx, edx
    js 1f
    swapgs
1:  mov rdi, rsp
    xor ebp, ebp
    and rsp, -16
    call frame_fatal_trap
    ud2
.endm
    fatal 8, 1
    fatal 18, 0
