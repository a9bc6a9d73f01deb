# Access to user memory. Intel syntax, System V calling convention; each function returns a value in rax and 1 in rdx if there was a fault.
# A fault anywhere between the two labels that cannot be resolved continues at frame_user_landing: so nothing here may use the stack.

.section .text.user_access, "ax", @progbits
.global frame_user_access_start
frame_user_access_start:

.macro allow
    cmp byte ptr [rip + frame_smap], 0
    je 99f
    stac
99:
.endm
.macro forbid
    cmp byte ptr [rip + frame_smap], 0
    je 98f
    clac
98:
    xor edx, edx
    ret
.endm

# (dst, src, len): one of the two is user memory
.balign 16
.global frame_user_copy
frame_user_copy:
    allow
    cmp rdx, 256
    jb 1f
    cmp byte ptr [rip + frame_slow_strings], 0
    jne 1f
    mov rcx, rdx
    rep movsb
    jmp 9f
1:  sub rdx, 64
    jb 3f
2:  mov rcx, [rsi]
    mov r8, [rsi + 8]
    mov r9, [rsi + 16]
    mov r10, [rsi + 24]
    mov [rdi], rcx
    mov [rdi + 8], r8
    mov [rdi + 16], r9
    mov [rdi + 24], r10
    mov rcx, [rsi + 32]
    mov r8, [rsi + 40]
    mov r9, [rsi + 48]
    mov r10, [rsi + 56]
    mov [rdi + 32], rcx
    mov [rdi + 40], r8
    mov [rdi + 48], r9
    mov [rdi + 56], r10
    add rsi, 64
    add rdi, 64
    sub rdx, 64
    jae 2b
3:  add rdx, 64
    cmp rdx, 8
    jb 5f
4:  mov rcx, [rsi]
    mov [rdi], rcx
    add rsi, 8
    add rdi, 8
    sub rdx, 8
    cmp rdx, 8
    jae 4b
5:  test edx, 4
    jz 6f
    mov ecx, [rsi]
    mov [rdi], ecx
    add rsi, 4
    add rdi, 4
6:  test edx, 2
    jz 7f
    movzx ecx, word ptr [rsi]
    mov [rdi], cx
    add rsi, 2
    add rdi, 2
7:  test edx, 1
    jz 9f
    movzx ecx, byte ptr [rsi]
    mov [rdi], cl
9:  xor eax, eax
    forbid

# (dst, len)
.balign 16
.global frame_user_zero
frame_user_zero:
    allow
    xor eax, eax
    mov rcx, rsi
    cmp byte ptr [rip + frame_slow_strings], 0
    jne 1f
    rep stosb
    jmp 5f
1:  sub rcx, 64
    jb 3f
2:  mov [rdi], rax
    mov [rdi + 8], rax
    mov [rdi + 16], rax
    mov [rdi + 24], rax
    mov [rdi + 32], rax
    mov [rdi + 40], rax
    mov [rdi + 48], rax
    mov [rdi + 56], rax
    add rdi, 64
    sub rcx, 64
    jae 2b
3:  add rcx, 64
    jz 5f
4:  mov [rdi], al
    inc rdi
    dec rcx
    jnz 4b
5:  forbid

# (address) -> value
.balign 16
.global frame_user_read_u8
frame_user_read_u8:
    allow
    movzx eax, byte ptr [rdi]
    forbid
.balign 16
.global frame_user_read_u32
frame_user_read_u32:
    allow
    mov eax, [rdi]
    forbid
.balign 16
.global frame_user_read_u64
frame_user_read_u64:
    allow
    mov rax, [rdi]
    forbid

# (address, value)
.balign 16
.global frame_user_write_u8
frame_user_write_u8:
    allow
    mov [rdi], sil
    forbid
.balign 16
.global frame_user_write_u32
frame_user_write_u32:
    allow
    mov [rdi], esi
    forbid
.balign 16
.global frame_user_write_u64
frame_user_write_u64:
    allow
    mov [rdi], rsi
    forbid

# (address, old, new) -> value found
.balign 16
.global frame_user_cmpxchg_u32
frame_user_cmpxchg_u32:
    mov ecx, edx
    allow
    mov eax, esi
    lock cmpxchg [rdi], ecx
    mov eax, eax
    forbid

.global frame_user_access_end
frame_user_access_end:

.balign 16
.global frame_user_landing
frame_user_landing:
    cmp byte ptr [rip + frame_smap], 0
    je 1f
    clac
1:  xor eax, eax
    mov edx, 1
    ret
