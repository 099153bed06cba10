"""Letters in files, handed to an SMTP server one after another over one connection: `send_letters.py [--no-delay] PORT CA USER PASSWORD
FILE...`. As smtplib comes, each letter waits 40 ms for an acknowledgement of TCP; with --no-delay it does not."""

import email
import smtplib
import socket
import ssl
import sys


def main():
    no_delay = sys.argv[1] == "--no-delay"
    port, ca, user, password, *paths = sys.argv[1 + no_delay:]
    with smtplib.SMTP_SSL("127.0.0.1", int(port), context=ssl.create_default_context(cafile=ca)) as server:
        if no_delay:
            server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server.login(user, password)
        for path in paths:
            with open(path, "rb") as file:
                raw = file.read()
            server.sendmail(user, [email.message_from_bytes(raw)["To"]], raw)


main()
