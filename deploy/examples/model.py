#!/usr/bin/env python3
"""A USB device in Python: a serial port (CDC-ACM) that says each line that it gets in capital letters.

    python3 model.py /tmp/model.sock &
    device-sim --emulate model,socket=/tmp/model.sock --to HOST:PORT

docs/devices.md explains the lines that pass over the socket.
"""

import json
import os
import socket
import struct
import sys

NOTIFY, OUT, IN = 0x83, 0x02, 0x81
SUCCESS = {"status": "success"}


def descriptor(kind, *body):
    content = b"".join(part if isinstance(part, bytes) else bytes([part]) for part in body)
    return bytes([len(content) + 2, kind]) + content


def endpoint(address, kind, size, interval):
    return descriptor(5, address, kind, struct.pack("<H", size), interval)


DEVICE = descriptor(1, struct.pack("<H", 0x0200), 2, 0, 0, 64, struct.pack("<HHH", 0x1209, 0x0001, 0x0100), 1, 2, 3, 1)
INTERFACES = (
    descriptor(4, 0, 0, 1, 2, 2, 1, 0)
    + descriptor(0x24, 0, struct.pack("<H", 0x0110))
    + descriptor(0x24, 1, 0, 1)
    + descriptor(0x24, 2, 2)
    + descriptor(0x24, 6, 0, 1)
    + endpoint(NOTIFY, 3, 16, 16)
    + descriptor(4, 1, 0, 2, 10, 0, 0, 0)
    + endpoint(OUT, 2, 64, 0)
    + endpoint(IN, 2, 64, 0)
)
CONFIGURATION = descriptor(2, struct.pack("<H", 9 + len(INTERFACES)), 2, 1, 0, 0x80, 50) + INTERFACES
HELLO = {
    "speed": "full",
    "device": DEVICE.hex(),
    "configuration": CONFIGURATION.hex(),
    "strings": ["usbloop", "Capitals", "0001"],
}


class Capitals:
    """The device: what it has for the guest, and the question that waits for it."""

    def __init__(self, say):
        self.say = say
        self.coding = b"\x80\x25\x00\x00\x00\x00\x08"  # 9600 8N1
        self.ready = b""
        self.waiting = None

    def tell(self):
        if self.waiting and self.ready:
            size = self.waiting["in"]["length"]
            data, self.ready = self.ready[:size], self.ready[size:]
            self.say({"id": self.waiting["id"], "data": data.hex()})
            self.waiting = None

    def control(self, question):
        setup = question["control"]
        answer = {"status": "stall"}
        if setup["request_type"] == 0x21 and setup["request"] == 0x20:  # SET_LINE_CODING
            self.coding = bytes.fromhex(setup["data"])
            answer = SUCCESS
        elif setup["request_type"] == 0x21 and setup["request"] in (0x22, 0x23):  # lines, break
            answer = SUCCESS
        elif setup["request_type"] == 0xA1 and setup["request"] == 0x21:  # GET_LINE_CODING
            answer = {"data": self.coding.hex()}
        self.say({"id": question["id"], **answer})

    def hear(self, line):
        if "control" in line:
            self.control(line)
        elif "out" in line:
            self.ready += bytes.fromhex(line["out"]["data"]).upper()
            self.say({"id": line["id"], **SUCCESS})
        elif "in" in line and line["in"]["endpoint"] == IN:
            self.waiting = line
        elif "reset" in line:
            self.ready, self.waiting = b"", None
        self.tell()


def serve(connection):
    def say(answer):
        connection.sendall(json.dumps(answer).encode() + b"\n")

    say(HELLO)
    device = Capitals(say)
    for line in connection.makefile("r", encoding="ascii"):
        device.hear(json.loads(line))


def main():
    path = sys.argv[1]
    if os.path.exists(path):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("model: listening at " + path, flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                try:
                    serve(connection)
                except (BrokenPipeError, ConnectionResetError):
                    pass


if __name__ == "__main__":
    main()
