# ~/.bashrc: yours; /etc/bash.bashrc has been read before it.
