"""Reads profiles as pprof does: protocol buffers in gzip, without a library."""

import gzip


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """(number, value) of each field: an int, or the bytes of a string or message."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        yield key >> 3, value


def numbers(value):
    """Of a repeated field, packed or not."""
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        number, at = varint(value, at)
        found.append(number)
    return found


class Pprof:
    """`types` is a list of names; `samples` of ([(function, file, line), ...] innermost first, labels, last value)."""

    def __init__(self, packed):
        parts = list(fields(gzip.decompress(packed)))
        self.strings = [value.decode() for number, value in parts if number == 6]
        self.comments = [self.strings[value] for number, value in parts if number == 13]
        self.types = [self.strings[dict(fields(value))[1]] for number, value in parts if number == 1]
        functions = {}
        for number, value in parts:
            if number == 5:
                one = dict(fields(value))
                functions[one[1]] = (self.strings[one.get(2, 0)], self.strings[one.get(4, 0)])
        places = {}
        for number, value in parts:
            if number == 4:
                one = dict(fields(value))
                line = dict(fields(one[4]))
                places[one[1]] = (*functions[line[1]], line.get(2, 0))
        self.samples = [self.sample(value, places) for number, value in parts if number == 2]

    def sample(self, data, places):
        stack, values, labels = [], [], {}
        for number, value in fields(data):
            if number == 1:
                stack += [places[place] for place in numbers(value)]
            elif number == 2:
                values += numbers(value)
            else:
                label = dict(fields(value))
                labels[self.strings[label[1]]] = self.strings[label[2]]
        return stack, labels, values[-1]
