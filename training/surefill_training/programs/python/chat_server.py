import socket
import threading

HOST = "0.0.0.0"
PORT = 9009
ENCODING = "utf-8"


class ChatServer:
    def __init__(self, host=HOST, port=PORT):
        self.address = (host, port)
        self.clients = {}
        self.lock = threading.Lock()

    def start(self):
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(self.address)
        server.listen()
        print(f"Listening on {self.address[0]}:{self.address[1]}")
        try:
            while True:
                conn, addr = server.accept()
                thread = threading.Thread(target=self.handle_client, args=(conn, addr))
                thread.daemon = True
                thread.start()
        except KeyboardInterrupt:
            print("Shutting down")
        finally:
            server.close()

    def handle_client(self, conn, addr):
        print(f"Connection from {addr}")
        name = None
        try:
            conn.sendall("What is your name? ".encode(ENCODING))
            reader = conn.makefile("r", encoding=ENCODING)
            name = reader.readline().strip()
            if not name:
                return
            with self.lock:
                if name in self.clients:
                    conn.sendall(b"This name is taken.\n")
                    name = None
                    return
                self.clients[name] = conn
            self.broadcast(f"* {name} joined")

            for line in reader:
                message = line.strip()
                if message == "/quit":
                    break
                if message == "/who":
                    with self.lock:
                        names = ", ".join(sorted(self.clients))
                    conn.sendall(f"online: {names}\n".encode(ENCODING))
                elif message:
                    self.broadcast(f"<{name}> {message}", exclude=name)
        except ConnectionResetError:
            pass
        finally:
            conn.close()
            if name:
                with self.lock:
                    self.clients.pop(name, None)
                self.broadcast(f"* {name} left")

    def broadcast(self, message, exclude=None):
        data = (message + "\n").encode(ENCODING)
        with self.lock:
            for name, conn in self.clients.items():
                if name == exclude:
                    continue
                try:
                    conn.sendall(data)
                except OSError:
                    print(f"could not send to {name}")


if __name__ == "__main__":
    ChatServer().start()
