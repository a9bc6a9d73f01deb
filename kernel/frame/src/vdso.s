# The code of the vDSO. It lies at TEXT in the image; the data page is the one before the image. See vdso.rs for the data's layout.

.section .rodata.frame_vdso, "a"
.balign 16
.global frame_vdso_start
frame_vdso_start:

# The clock: seconds in rax, nanoseconds in rdx. ecx bit 0: real time. Overwrites rcx, r8 to r10.
vdso_now:
    lea r8, [rip + frame_vdso_start - {DATA_BEFORE_TEXT}]
2:  mov r9d, [r8 + {SEQUENCE}]
    test r9d, 1
    jnz 3f
    lfence
    rdtsc
    shl rdx, 32
    or rax, rdx
    xor r10d, r10d
    sub rax, [r8 + {BASE}]
    cmovb rax, r10
    mul qword ptr [r8 + {FACTOR}]
    shrd rax, rdx, 32
    test ecx, 1
    cmovnz r10, [r8 + {REAL_TIME}]
    add rax, r10
    cmp r9d, [r8 + {SEQUENCE}]
    je 4f
3:  pause
    jmp 2b
4:  xor edx, edx
    mov ecx, 1000000000
    div rcx
    ret

# int clock_gettime(clockid_t, struct timespec *)
.balign 16
vdso_clock_gettime:
    cmp edi, 7
    ja 5f
    # Real time, monotonic, raw, both coarse ones, since boot.
    mov eax, 0xf3
    bt eax, edi
    jnc 5f
    # Real time and its coarse relative.
    mov ecx, 0x21
    bt ecx, edi
    setc cl
    call vdso_now
    mov [rsi], rax
    mov [rsi + 8], rdx
    xor eax, eax
    ret
5:  mov eax, 228
    syscall
    ret

# int gettimeofday(struct timeval *, struct timezone *)
.balign 16
vdso_gettimeofday:
    test rdi, rdi
    jz 6f
    mov ecx, 1
    call vdso_now
    mov [rdi], rax
    mov rax, rdx
    xor edx, edx
    mov ecx, 1000
    div rcx
    mov [rdi + 8], rax
6:  test rsi, rsi
    jz 7f
    mov qword ptr [rsi], 0
7:  xor eax, eax
    ret

# time_t time(time_t *)
.balign 16
vdso_time:
    mov ecx, 1
    call vdso_now
    test rdi, rdi
    jz 8f
    mov [rdi], rax
8:  ret

# int clock_getres(clockid_t, struct timespec *)
.balign 16
vdso_clock_getres:
    mov eax, 229
    syscall
    ret

# int getcpu(unsigned *, unsigned *, void *)
.balign 16
vdso_getcpu:
    mov eax, 309
    syscall
    ret

.global frame_vdso_end
frame_vdso_end:

# Where the functions begin, from frame_vdso_start.
.balign 8
.global frame_vdso_entries
frame_vdso_entries:
    .quad vdso_clock_gettime - frame_vdso_start
    .quad vdso_gettimeofday - frame_vdso_start
    .quad vdso_time - frame_vdso_start
    .quad vdso_clock_getres - frame_vdso_start
    .quad vdso_getcpu - frame_vdso_start
    .quad frame_vdso_end - frame_vdso_start
.text
