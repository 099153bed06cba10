"""Who sees what an SMTP server accepts, and when: stands before it, ends TLS, passes every byte on."""

import re
import socket
import ssl
import threading
import time

ANSWERED = re.compile(rb"^In-Reply-To:\s*<([^>]*)>", re.I | re.M)


class Witness:
    """`accepted`: for each mail (its Message-ID) the time at which the server had taken the answer to it."""

    def __init__(self, root, port, server):
        self.server, self.accepted, self.came = server, {}, threading.Condition()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(f"{root}/tls/leaf.pem", f"{root}/tls/leaf.key")
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client = self.context.wrap_socket(client, server_side=True)
            server = socket.create_connection(("127.0.0.1", self.server))
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            client.close()
            return
        said = bytearray()
        threading.Thread(target=self.down, args=(server, client, said), daemon=True).start()
        try:
            while data := client.recv(65536):
                said += data
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def down(self, server, client, said):
        try:
            while data := server.recv(65536):
                if b" queued as " in data:
                    at, found = time.monotonic(), ANSWERED.search(bytes(said))
                    said.clear()
                    if found:
                        with self.came:
                            self.accepted.setdefault(found[1].decode(), at)
                            self.came.notify_all()
                client.sendall(data)
            client.close()
        except OSError:
            pass

    def wait(self, mail, within):
        """The time at which the answer to this mail was accepted; `None`: not in time."""
        with self.came:
            self.came.wait_for(lambda: mail in self.accepted, within)
            return self.accepted.get(mail)

    def close(self):
        self.listener.close()
