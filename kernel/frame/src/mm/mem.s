# memcpy, memmove, memset, memcmp, bcmp for the kernel (System V calling convention, Intel syntax). See copy.rs for the two ways to move.
.section .text.mem, "ax", @progbits

.balign 16
.global memcpy
.type memcpy, @function
memcpy:
    mov rax, rdi
    cmp rdx, 16
    jb 5f
    cmp rdx, 256
    jb 1f
    cmp byte ptr [rip + frame_slow_strings], 0
    jne 1f
    mov rcx, rdx
    rep movsb
    ret
1:  sub rdx, 64
    jb 3f
    .balign 16
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
5:  # fewer than 16 bytes
    test edx, 8
    jz 6f
    mov rcx, [rsi]
    mov [rdi], rcx
    add rsi, 8
    add rdi, 8
6:  test edx, 4
    jz 7f
    mov ecx, [rsi]
    mov [rdi], ecx
    add rsi, 4
    add rdi, 4
7:  test edx, 2
    jz 8f
    movzx ecx, word ptr [rsi]
    mov [rdi], cx
    add rsi, 2
    add rdi, 2
8:  test edx, 1
    jz 9f
    movzx ecx, byte ptr [rsi]
    mov [rdi], cl
9:  ret
.size memcpy, . - memcpy

.balign 16
.global memmove
.type memmove, @function
memmove:
    mov rax, rdi
    sub rax, rsi
    cmp rax, rdx
    jae memcpy                                      # dst before src, or no overlap: forwards
    mov rax, rdi
    add rsi, rdx
    add rdi, rdx
    cmp rdx, 32
    jb 2f
1:  mov rcx, [rsi - 8]
    mov r8, [rsi - 16]
    mov r9, [rsi - 24]
    mov r10, [rsi - 32]
    mov [rdi - 8], rcx
    mov [rdi - 16], r8
    mov [rdi - 24], r9
    mov [rdi - 32], r10
    sub rsi, 32
    sub rdi, 32
    sub rdx, 32
    cmp rdx, 32
    jae 1b
2:  cmp rdx, 8
    jb 4f
3:  mov rcx, [rsi - 8]
    mov [rdi - 8], rcx
    sub rsi, 8
    sub rdi, 8
    sub rdx, 8
    cmp rdx, 8
    jae 3b
4:  test edx, edx
    jz 6f
5:  dec rsi
    dec rdi
    movzx ecx, byte ptr [rsi]
    mov [rdi], cl
    dec edx
    jnz 5b
6:  ret
.size memmove, . - memmove

.balign 16
.global memset
.type memset, @function
memset:
    mov r8, rdi
    movzx eax, sil
    cmp rdx, 256
    jb 1f
    cmp byte ptr [rip + frame_slow_strings], 0
    jne 1f
    mov rcx, rdx
    rep stosb
    mov rax, r8
    ret
1:  movabs rcx, 0x0101010101010101
    imul rax, rcx
    sub rdx, 64
    jb 3f
    .balign 16
2:  mov [rdi], rax
    mov [rdi + 8], rax
    mov [rdi + 16], rax
    mov [rdi + 24], rax
    mov [rdi + 32], rax
    mov [rdi + 40], rax
    mov [rdi + 48], rax
    mov [rdi + 56], rax
    add rdi, 64
    sub rdx, 64
    jae 2b
3:  add rdx, 64
    cmp rdx, 8
    jb 5f
4:  mov [rdi], rax
    add rdi, 8
    sub rdx, 8
    cmp rdx, 8
    jae 4b
5:  test edx, 4
    jz 6f
    mov [rdi], eax
    add rdi, 4
6:  test edx, 2
    jz 7f
    mov [rdi], ax
    add rdi, 2
7:  test edx, 1
    jz 8f
    mov [rdi], al
8:  mov rax, r8
    ret
.size memset, . - memset

.balign 16
.global memcmp
.type memcmp, @function
.global bcmp
.type bcmp, @function
memcmp:
bcmp:
    cmp rdx, 8
    jb 2f
1:  mov rax, [rdi]
    mov rcx, [rsi]
    cmp rax, rcx
    jne 4f
    add rdi, 8
    add rsi, 8
    sub rdx, 8
    cmp rdx, 8
    jae 1b
2:  test rdx, rdx
    jz 5f
3:  movzx eax, byte ptr [rdi]
    movzx ecx, byte ptr [rsi]
    sub eax, ecx
    jne 6f
    inc rdi
    inc rsi
    dec rdx
    jnz 3b
5:  xor eax, eax
6:  ret
4:  bswap rax                                       # the first byte that differs decides
    bswap rcx
    cmp rax, rcx
    sbb eax, eax
    or eax, 1
    ret
.size memcmp, . - memcmp
