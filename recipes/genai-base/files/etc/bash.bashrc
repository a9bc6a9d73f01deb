# Interactive bash shells.
[ -z "$PS1" ] && return

shopt -s checkwinsize histappend
HISTCONTROL=ignoreboth

# user@host in green (root: red), the folder in blue; colours only where the terminal has them.
case $TERM in
    linux | xterm* | screen* | tmux* | foot* | alacritty | vt220-color | ansi)
        if [ "$EUID" -eq 0 ]; then genai_colour=31; else genai_colour=32; fi
        PS1='\[\e[1;'$genai_colour'm\]\u@\h\[\e[0m\]:\[\e[1;34m\]\w\[\e[0m\]\$ '
        unset genai_colour
        alias ls='ls --color=auto' grep='grep --color=auto' diff='diff --color=auto'
        ;;
    *)
        PS1='\u@\h:\w\$ '
        ;;
esac
alias ll='ls -l' la='ls -A'

# Completions are read when they are first wanted.
_genai_completion() {
    local file=/usr/share/bash-completion/completions/${1##*/}
    [[ -n $1 && -r $file ]] && . "$file" && return 124
}
complete -D -F _genai_completion -o bashdefault -o default
