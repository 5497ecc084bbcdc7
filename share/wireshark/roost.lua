--[[ roost.lua - Roost for Wireshark and tshark: datagrams, and control within TLS.

Put it where Wireshark looks for plugins (Help, About, Folders: "Personal Lua Plugins"), or name it:

    roost --pcap lab.pcap --key-log keys lab send --to HOST:5002 --word maple FILE
    wireshark -X lua_script:share/wireshark/roost.lua -o roost.key_log:keys lab.pcap

Datagrams are known by the port (5001; others by "Decode As"), by an exchange of keys that was seen, or by a
session in the file of keys. With that file their frames are opened. Tags are not checked: what was damaged or
forged shows as nonsense. For control set Wireshark's own "(Pre)-Master-Secret log" (tls.keylog_file) to the same
file; with the folder of roost.proto among the "Protobuf search paths" the fields have their names.

docs/PROTOCOL.md describes what is dissected here. Works with Wireshark 4.0 and later.
]]

local bit = bit or bit32 or require("bit")
local spread = table.unpack or unpack
local band, bor, bxor, rshift, lshift = bit.band, bit.bor, bit.bxor, bit.rshift, bit.lshift

-- ---- SHA-256, HMAC, HKDF ---------------------------------------------------------------------

local function u32(n)
    return n % 4294967296
end

local sha_k, sha_h = {}, {}
do -- the first 32 bits of the fractional parts of cube and square roots of primes
    local n, found = 2, 0
    local function is_prime(x)
        for d = 2, math.floor(math.sqrt(x)) do
            if x % d == 0 then return false end
        end
        return true
    end
    -- bits 1 to 32 behind the point of x^(1/root), by halving: doubles alone are too short
    local function fraction(x, root)
        local low, high = 0, 4294967296
        local whole = math.floor(x ^ (1 / root) + 1e-9)
        -- compares (whole + f / 2^32)^root with x, exactly, in parts of 16 bits
        local function below(f)
            local a = { whole, math.floor(f / 65536), f % 65536 }
            local function times(p, q)
                local r = {}
                for i = 1, #p + #q - 1 do r[i] = 0 end
                for i = 1, #p do
                    for k = 1, #q do r[i + k - 1] = r[i + k - 1] + p[i] * q[k] end
                end
                for i = #r, 2, -1 do
                    local over = math.floor(r[i] / 65536)
                    r[i - 1], r[i] = r[i - 1] + over, r[i] - over * 65536
                end
                return r
            end
            local power = times(a, a)
            if root == 3 then power = times(power, a) end
            return power[1] < x
        end
        while high - low > 1 do
            local middle = math.floor((low + high) / 2)
            if below(middle) then low = middle else high = middle end
        end
        return low
    end
    while found < 64 do
        if is_prime(n) then
            found = found + 1
            sha_k[found] = fraction(n, 3)
            if found <= 8 then sha_h[found] = fraction(n, 2) end
        end
        n = n + 1
    end
end

local function rotate(n, by)
    return bor(rshift(n, by), lshift(n, 32 - by))
end

local function word_at(s, at)
    local a, b, c, d = s:byte(at, at + 3)
    return ((a * 256 + b) * 256 + c) * 256 + d
end

local function word_bytes(n)
    n = u32(n)
    return string.char(math.floor(n / 16777216), math.floor(n / 65536) % 256, math.floor(n / 256) % 256, n % 256)
end

local function sha256(text)
    local bits = #text * 8
    text = text .. "\128" .. string.rep("\0", (55 - #text) % 64) .. "\0\0\0\0" .. word_bytes(bits)
    local h = { spread(sha_h) }
    for block = 1, #text, 64 do
        local w = {}
        for i = 1, 16 do w[i] = word_at(text, block + 4 * (i - 1)) end
        for i = 17, 64 do
            local a, b = w[i - 15], w[i - 2]
            local s0 = bxor(rotate(a, 7), rotate(a, 18), rshift(a, 3))
            local s1 = bxor(rotate(b, 17), rotate(b, 19), rshift(b, 10))
            w[i] = u32(w[i - 16] + s0 + w[i - 7] + s1)
        end
        local a, b, c, d, e, f, g, x = h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8]
        for i = 1, 64 do
            local s1 = bxor(rotate(e, 6), rotate(e, 11), rotate(e, 25))
            local choice = bxor(band(e, f), band(bit.bnot(e), g))
            local t1 = u32(x + s1 + choice + sha_k[i] + w[i])
            local s0 = bxor(rotate(a, 2), rotate(a, 13), rotate(a, 22))
            local most = bxor(band(a, b), band(a, c), band(b, c))
            x, g, f, e, d, c, b, a = g, f, e, u32(d + t1), c, b, a, u32(t1 + s0 + most)
        end
        local all = { a, b, c, d, e, f, g, x }
        for i = 1, 8 do h[i] = u32(h[i] + all[i]) end
    end
    local out = ""
    for i = 1, 8 do out = out .. word_bytes(h[i]) end
    return out
end

local function hmac(key, text)
    key = key .. string.rep("\0", 64 - #key)
    local inner = key:gsub(".", function(c) return string.char(bxor(c:byte(), 0x36)) end)
    local outer = key:gsub(".", function(c) return string.char(bxor(c:byte(), 0x5c)) end)
    return sha256(outer .. sha256(inner .. text))
end

local function hkdf(secret, purpose, length)
    local key, out, last, i = hmac(string.rep("\0", 32), secret), "", "", 1
    while #out < length do
        last = hmac(key, last .. purpose .. string.char(i))
        out, i = out .. last, i + 1
    end
    return out:sub(1, length)
end

-- ---- AES-128, counter mode ----------------------------------------------------------------------

local sbox, tables = {}, { {}, {}, {}, {} }
do
    local p, q = 1, 1
    local function double(x)
        x = x * 2
        return x > 255 and bxor(x, 0x11b) or x
    end
    local function turn(x, by)
        return bor(band(lshift(x, by), 255), rshift(x, 8 - by))
    end
    repeat -- p runs through all, q is its inverse
        p = bxor(p, double(p))
        q = bxor(q, lshift(q, 1))
        q = bxor(q, lshift(q, 2))
        q = band(bxor(q, lshift(q, 4)), 255)
        if band(q, 128) ~= 0 then q = bxor(q, 9) end
        sbox[p] = bxor(q, turn(q, 1), turn(q, 2), turn(q, 3), turn(q, 4), 0x63)
    until p == 1
    sbox[0] = 0x63
    for i = 0, 255 do
        local s = sbox[i]
        local d = double(s)
        local t = bxor(d, s)
        local column = bor(lshift(d, 24), lshift(s, 16), lshift(s, 8), t)
        for k = 1, 4 do
            tables[k][i] = column
            column = bor(rshift(column, 8), lshift(band(column, 255), 24))
        end
    end
end

local function aes_key(key)
    local w, rcon = {}, 1
    for i = 1, 4 do w[i] = word_at(key, 4 * i - 3) end
    for i = 5, 44 do
        local t = w[i - 1]
        if i % 4 == 1 then
            t = bor(lshift(t, 8), rshift(t, 24))
            t = bor(lshift(sbox[band(rshift(t, 24), 255)], 24), lshift(sbox[band(rshift(t, 16), 255)], 16),
                    lshift(sbox[band(rshift(t, 8), 255)], 8), sbox[band(t, 255)])
            t = bxor(t, lshift(rcon, 24))
            rcon = rcon * 2
            if rcon > 255 then rcon = bxor(rcon, 0x11b) end
        end
        w[i] = bxor(w[i - 4], t)
    end
    return w
end

local function aes_block(w, a, b, c, d)
    local t1, t2, t3, t4 = tables[1], tables[2], tables[3], tables[4]
    a, b, c, d = bxor(a, w[1]), bxor(b, w[2]), bxor(c, w[3]), bxor(d, w[4])
    local function mix(p, q, r, s, k)
        return bxor(t1[band(rshift(p, 24), 255)], t2[band(rshift(q, 16), 255)], t3[band(rshift(r, 8), 255)],
                    t4[band(s, 255)], k)
    end
    for i = 5, 37, 4 do
        a, b, c, d = mix(a, b, c, d, w[i]), mix(b, c, d, a, w[i + 1]), mix(c, d, a, b, w[i + 2]),
                     mix(d, a, b, c, w[i + 3])
    end
    local function last(p, q, r, s, k)
        return bxor(bor(lshift(sbox[band(rshift(p, 24), 255)], 24), lshift(sbox[band(rshift(q, 16), 255)], 16),
                        lshift(sbox[band(rshift(r, 8), 255)], 8), sbox[band(s, 255)]), k)
    end
    return last(a, b, c, d, w[41]), last(b, c, d, a, w[42]), last(c, d, a, b, w[43]), last(d, a, b, c, w[44])
end

-- GCM's counter begins with 2 for the text.
local function open_text(w, nonce, text)
    local a, b, c = word_at(nonce, 1), word_at(nonce, 5), word_at(nonce, 9)
    local out = {}
    for at = 1, #text, 16 do
        local p, q, r, s = aes_block(w, a, b, c, (at - 1) / 16 + 2)
        local stream = word_bytes(p) .. word_bytes(q) .. word_bytes(r) .. word_bytes(s)
        for i = at, math.min(at + 15, #text) do
            out[#out + 1] = string.char(bxor(text:byte(i), stream:byte(i - at + 1)))
        end
    end
    return table.concat(out)
end

-- ---- sessions and their keys ----------------------------------------------------------------------

local roost = Proto("roost", "Roost datagrams")
roost.prefs.key_log = Pref.string("File of keys", "", "written by roost --key-log FILE")

local known = {}    -- session -> secret, from the file
local announced = {} -- session -> true: its exchange of keys was seen
local ways = {}     -- session and direction -> numbers and phases as they go on
local of_packet = {} -- frame number and offset -> number and generation: the first visit decides
local made = {}     -- keys, by session, direction, generation

local function from_hex(text)
    return (text:gsub("..", function(h) return string.char(tonumber(h, 16)) end))
end

local function read_keys()
    known = {}
    local name = roost.prefs.key_log
    local file = name ~= "" and io.open(name, "r")
    if not file then return end
    for line in file:lines() do
        local session, secret = line:match("^ROOST_DATAGRAMS (%x+) (%x+)%s*$")
        if session and #secret == 64 then known[tonumber(session, 16)] = from_hex(secret) end
    end
    file:close()
end

function roost.init()
    announced, ways, of_packet, made = {}, {}, {}, {}
    read_keys()
end

function roost.prefs_changed()
    read_keys()
end

local function keys_of(session, from_client, generation)
    local id = session .. (from_client and "c" or "s") .. generation
    if made[id] == nil then
        local secret = known[session]
        if not secret then return nil end
        secret = hkdf(secret, from_client and "roost datagrams from the client" or "roost datagrams from the server", 32)
        for _ = 1, generation do secret = hkdf(secret, "roost datagram next", 32) end
        local bytes = hkdf(secret, "roost datagram key", 28)
        made[id] = { w = aes_key(bytes:sub(1, 16)), iv = bytes:sub(17) }
    end
    return made[id]
end

-- The whole number of a packet, and how often its sender had changed keys.
local function place(pinfo, offset, session, from_client, phase, low)
    local id = pinfo.number .. ":" .. offset
    if of_packet[id] then return of_packet[id] end
    local name = session .. (from_client and "c" or "s")
    local way = ways[name] or { next = 0, generation = 0 }
    ways[name] = way
    local number = way.next - way.next % 4294967296 + low
    if number + 2147483648 <= way.next then
        number = number + 4294967296
    elseif number > way.next + 2147483648 and number >= 4294967296 then
        number = number - 4294967296
    end
    local generation = way.generation
    if generation % 2 ~= phase then
        if number >= way.next then
            way.generation = generation + 1
            generation = way.generation
        elseif generation > 0 then
            generation = generation - 1 -- a late one
        end
    end
    way.next = math.max(way.next, number + 1)
    of_packet[id] = { number = number, generation = generation }
    return of_packet[id]
end

local function nonce_of(iv, number)
    local tail = word_bytes(math.floor(number / 4294967296)) .. word_bytes(number % 4294967296)
    local out = iv:sub(1, 4)
    for i = 1, 8 do out = out .. string.char(bxor(iv:byte(4 + i), tail:byte(i))) end
    return out
end

-- ---- fields -----------------------------------------------------------------------------------------

local kinds = {
    [0] = "PAD", "PING", "ACK", "ACK_ECN", "STREAM", "STREAM_END", "MAX_DATA", "MAX_STREAM", "MAX_STREAMS", "RESET",
    "STOP", "PATH", "PATH_BACK", "OBSERVED", "MAX_RATE", "CLOSE", "MEDIA",
    "NACK", "KEYFRAME", "FEEDBACK",
}
local codecs = { "Opus", "PCM", "VP8", "VP9" }
local pairing = { [0x81] = "HELLO", [0x82] = "ANSWER", [0x83] = "NO", [0x84] = "COOKIE" }

local f = {
    pair = ProtoField.uint8("roost.pair", "Exchange of keys", base.HEX, pairing),
    version = ProtoField.uint8("roost.pair.version", "Version"),
    random = ProtoField.bytes("roost.pair.random", "Random"),
    share = ProtoField.bytes("roost.pair.share", "Share"),
    proof = ProtoField.bytes("roost.pair.proof", "Proof"),
    cookie = ProtoField.bytes("roost.pair.cookie", "Cookie"),
    flags = ProtoField.uint8("roost.flags", "Flags", base.HEX),
    tail_follows = ProtoField.bool("roost.flags.tail", "A tail follows", 8, nil, 0x20),
    phase = ProtoField.bool("roost.flags.phase", "Phase of the keys", 8, nil, 0x10),
    client = ProtoField.bool("roost.flags.client", "From the client", 8, nil, 0x08),
    session = ProtoField.uint32("roost.session", "Session", base.HEX),
    low = ProtoField.uint32("roost.number.low", "Number, its low half"),
    number = ProtoField.uint64("roost.number", "Number"),
    generation = ProtoField.uint32("roost.generation", "Keys were changed"),
    sealed_len = ProtoField.uint16("roost.sealed_length", "Sealed length"),
    sealed = ProtoField.bytes("roost.sealed", "Sealed frames"),
    tag = ProtoField.bytes("roost.tag", "Tag (not checked)"),
    tail = ProtoField.bytes("roost.tail", "Tail, sealed end to end"),
    frame = ProtoField.uint8("roost.frame", "Frame", base.DEC, kinds),
    pad = ProtoField.uint32("roost.pad", "Bytes of padding"),
    stream = ProtoField.uint64("roost.stream", "Stream"),
    offset = ProtoField.uint64("roost.stream.offset", "Offset"),
    length = ProtoField.uint64("roost.stream.length", "Length"),
    stream_end = ProtoField.bool("roost.stream.end", "The last bytes"),
    data = ProtoField.bytes("roost.stream.data", "Bytes"),
    largest = ProtoField.uint64("roost.ack.largest", "Largest"),
    delay = ProtoField.uint64("roost.ack.delay", "Since it came, us"),
    range = ProtoField.string("roost.ack.range", "Range"),
    times = ProtoField.uint64("roost.ack.times", "Times of arrival"),
    time = ProtoField.uint64("roost.ack.time", "Arrival, us"),
    ect0 = ProtoField.uint64("roost.ack.ect0", "ECT(0)"),
    ect1 = ProtoField.uint64("roost.ack.ect1", "ECT(1)"),
    ce = ProtoField.uint64("roost.ack.ce", "CE"),
    limit = ProtoField.uint64("roost.limit", "Limit"),
    code = ProtoField.uint64("roost.code", "Code"),
    path = ProtoField.bytes("roost.path", "Challenge"),
    address = ProtoField.string("roost.address", "Address"),
    port = ProtoField.uint16("roost.port", "Port"),
    rate = ProtoField.uint64("roost.rate", "Bits a second"),
    text = ProtoField.string("roost.text", "Text"),
    media_flags = ProtoField.uint8("roost.media.flags", "Flags", base.HEX),
    media_key = ProtoField.bool("roost.media.key_frame", "Key frame", 8, nil, 0x01),
    media_last = ProtoField.bool("roost.media.last", "Last part", 8, nil, 0x02),
    media_silence = ProtoField.bool("roost.media.silence", "Silence begins", 8, nil, 0x04),
    encoding = ProtoField.uint8("roost.media.encoding", "Encoding", base.DEC, nil, 0xf0),
    asked = ProtoField.uint8("roost.keyframe.encoding", "Encoding"),
    temporal = ProtoField.uint8("roost.media.temporal", "Temporal layer", base.DEC, nil, 0x0f),
    codec = ProtoField.uint8("roost.media.codec", "Codec", base.DEC, codecs),
    key_id = ProtoField.uint64("roost.media.key_id", "Key"),
    media_frame = ProtoField.uint64("roost.media.frame", "Frame"),
    timestamp = ProtoField.uint32("roost.media.timestamp", "Timestamp, 1/48000 s"),
    part = ProtoField.uint64("roost.media.part", "Part"),
    depends = ProtoField.uint64("roost.media.depends", "Needs the frame so many before"),
    count = ProtoField.uint16("roost.media.count", "Count of this hop"),
    level = ProtoField.uint8("roost.media.level", "Level of the voice"),
    mark = ProtoField.bytes("roost.media.mark", "Mark of this part"),
    missing = ProtoField.uint16("roost.nack.first", "Missing from"),
    missing_more = ProtoField.uint16("roost.nack.more", "And of the next 16", base.HEX),
    figure = ProtoField.uint64("roost.feedback", "Received, lost, repaired, concealed ms, jitter us, held us"),
    why = ProtoField.uint8("roost.feedback.why", "What changed last"),
}
for _, field in pairs(f) do table.insert(roost.fields, field) end

local broken = ProtoExpert.new("roost.broken", "This is no frame: damaged, or another key", expert.group.MALFORMED,
                               expert.severity.ERROR)
roost.experts = { broken }

-- ---- frames ---------------------------------------------------------------------------------------------

-- A reader of variable-length numbers over a tvb; `at` goes on, `bad` once it ran over.
local function reader(tvb)
    local r = { tvb = tvb, at = 0, bad = false }
    function r.left() return tvb:len() - r.at end
    function r.take(n)
        if r.bad or n > r.left() then r.bad = true return nil end
        r.at = r.at + n
        return tvb(r.at - n, n)
    end
    function r.var(tree, field)
        if r.left() < 1 then r.bad = true return 0 end
        local length = 2 ^ math.floor(tvb(r.at, 1):uint() / 64)
        local range = r.take(length)
        if not range then return 0 end
        local n = UInt64(0)
        for i = 0, length - 1 do
            local byte = range(i, 1):uint()
            n = n * 256 + (i == 0 and byte % 64 or byte)
        end
        if tree and field then tree:add(field, range, n) end
        return n:tonumber()
    end
    return r
end

local function read_ack(r, tree, ecn)
    local largest = r.var(tree, f.largest)
    r.var(tree, f.delay)
    local ranges = r.var() + 1
    local start = r.at
    local last = largest
    local first = last - r.var()
    local text = {}
    for i = 1, ranges do
        if r.bad then return "" end
        tree:add(f.range, r.tvb(start, r.at - start), string.format("%.0f-%.0f", first, last))
        text[#text + 1] = string.format("%.0f-%.0f", first, last)
        start = r.at
        if i < ranges then
            last = first - r.var() - 2
            first = last - r.var()
        end
    end
    local times = r.var(tree, f.times)
    for i = 1, times do
        if r.bad then return "" end
        if i == 1 then r.var(tree, f.time) else r.var() end
    end
    if ecn then
        r.var(tree, f.ect0)
        r.var(tree, f.ect1)
        r.var(tree, f.ce)
    end
    return " " .. text[1] .. (ranges > 1 and " and " .. (ranges - 1) .. " more" or "")
end

local function read_stream(r, tree, is_end)
    local stream = r.var(tree, f.stream)
    local offset = r.var(tree, f.offset)
    local length = r.var(tree, f.length)
    local data = r.take(length)
    if r.bad then return "" end
    if length > 0 then tree:add(f.data, data) end
    tree:add(f.stream_end, is_end)
    return string.format(" %.0f [%.0f, %.0f)", stream, offset, offset + length)
end

local function read_address(r, tree)
    local family = r.take(1)
    local length = family and family:uint() or 0
    local bytes = r.take(length)
    local port = r.take(2)
    if r.bad or (length ~= 4 and length ~= 16) then r.bad = true return "" end
    local text = length == 4 and tostring(bytes:ipv4()) or tostring(bytes:ipv6())
    tree:add(f.address, bytes, text)
    tree:add(f.port, port)
    return " " .. text
end

local function read_media(r, tree)
    local flags = r.take(1)
    local stream = r.var(tree, f.stream)
    local layers, codec = r.take(1), r.take(1)
    r.var(tree, f.key_id)
    local frame = r.var(tree, f.media_frame)
    local timestamp = r.take(4)
    local part = r.var(tree, f.part)
    if r.bad then return "" end
    for _, field in ipairs({ f.media_flags, f.media_key, f.media_last, f.media_silence }) do tree:add(field, flags) end
    tree:add(f.encoding, layers)
    tree:add(f.temporal, layers)
    tree:add(f.codec, codec)
    tree:add(f.timestamp, timestamp)
    for _ = 1, math.floor(flags:uint() / 64) do r.var(tree, f.depends) end
    local count = r.take(2)
    if count then tree:add(f.count, count) end
    local level = band(flags:uint(), 0x08) > 0 and r.take(1)
    if level then tree:add(f.level, level) end
    local mark = band(flags:uint(), 0x10) > 0 and r.take(8)
    if mark then tree:add(f.mark, mark) end
    local length = r.var(tree, f.length)
    return string.format(" %.0f: frame %.0f, part %.0f, %.0f bytes", stream, frame, part, length)
end

local function read_nack(r, tree)
    local stream = r.var(tree, f.stream)
    for _ = 1, r.var() + 1 do
        local first, more = r.take(2), r.take(2)
        if r.bad then return "" end
        tree:add(f.missing, first)
        tree:add(f.missing_more, more)
    end
    return string.format(" %.0f", stream)
end

local readers = {
    PAD = function(r, tree)
        tree:add(f.pad, r.left() + 1)
        r.take(r.left())
        return ""
    end,
    PING = function() return "" end,
    ACK = function(r, tree) return read_ack(r, tree, false) end,
    ACK_ECN = function(r, tree) return read_ack(r, tree, true) end,
    STREAM = function(r, tree) return read_stream(r, tree, false) end,
    STREAM_END = function(r, tree) return read_stream(r, tree, true) end,
    MAX_DATA = function(r, tree) return string.format(" %.0f", r.var(tree, f.limit)) end,
    MAX_STREAM = function(r, tree)
        return string.format(" %.0f: %.0f", r.var(tree, f.stream), r.var(tree, f.limit))
    end,
    MAX_STREAMS = function(r, tree) return string.format(" %.0f", r.var(tree, f.limit)) end,
    RESET = function(r, tree)
        local stream = r.var(tree, f.stream)
        r.var(tree, f.code)
        r.var(tree, f.length)
        return string.format(" %.0f", stream)
    end,
    STOP = function(r, tree)
        local stream = r.var(tree, f.stream)
        r.var(tree, f.code)
        return string.format(" %.0f", stream)
    end,
    PATH = function(r, tree)
        local bytes = r.take(8)
        if bytes then tree:add(f.path, bytes) end
        return ""
    end,
    OBSERVED = read_address,
    MAX_RATE = function(r, tree) return string.format(" %.0f", r.var(tree, f.rate)) end,
    CLOSE = function(r, tree)
        local code = r.var(tree, f.code)
        local bytes = r.take(r.var())
        if bytes and bytes:len() > 0 then tree:add(f.text, bytes, bytes:string()) end
        return string.format(" %.0f", code)
    end,
    MEDIA = read_media,
    NACK = read_nack,
    KEYFRAME = function(r, tree)
        local stream = r.var(tree, f.stream)
        local encoding = r.take(1)
        if encoding then tree:add(f.asked, encoding) end
        return string.format(" %.0f", stream)
    end,
    FEEDBACK = function(r, tree)
        local stream = r.var(tree, f.stream)
        for _ = 1, 6 do r.var(tree, f.figure) end
        local why = r.take(1)
        if why then tree:add(f.why, why) end
        return string.format(" %.0f", stream)
    end,
}
readers.PATH_BACK = readers.PATH

local function read_frames(tvb, tree)
    local r, said = reader(tvb), {}
    while r.left() > 0 do
        local start = r.at
        local kind = r.take(1):uint()
        local name = kinds[kind]
        local sub = tree:add(f.frame, tvb(start, 1))
        if not name then
            sub:add_proto_expert_info(broken)
            break
        end
        local text = readers[name](r, sub)
        if r.bad then
            sub:add_proto_expert_info(broken)
            break
        end
        sub:set_len(r.at - start)
        sub:set_text(name .. text)
        said[#said + 1] = name .. text
    end
    return table.concat(said, ", ")
end

-- ---- datagrams --------------------------------------------------------------------------------------------

local function dissect_pair(tvb, pinfo, root)
    local kind = tvb(0, 1):uint()
    local tree = root:add(roost, tvb(), "Roost, exchange of keys: " .. pairing[kind])
    tree:add(f.pair, tvb(0, 1))
    tree:add(f.version, tvb(1, 1))
    tree:add(f.random, tvb(2, 32))
    if kind == 0x81 and tvb:len() >= 86 then
        tree:add(f.share, tvb(34, 32))
        tree:add(f.cookie, tvb(66, 20))
    elseif kind == 0x84 then
        tree:add(f.cookie, tvb(34, 20))
    elseif kind == 0x82 and tvb:len() >= 142 then
        tree:add(f.random, tvb(34, 32))
        tree:add(f.share, tvb(66, 32))
        tree:add(f.session, tvb(98, 4))
        tree:add(f.proof, tvb(102, 32))
        announced[tvb(98, 4):uint()] = true
    end
    pinfo.cols.info = pairing[kind]
    return tvb:len()
end

local function is_pair(tvb)
    if tvb:len() < 42 or tvb(1, 1):uint() ~= 1 then return false end
    local kind = tvb(0, 1):uint()
    return (kind == 0x81 and tvb:len() == 1200) or (kind == 0x82 and tvb:len() == 142) or (kind == 0x83 and tvb:len() == 42)
        or (kind == 0x84 and tvb:len() == 62)
end

local function is_datagram(tvb)
    return tvb:len() >= 26 and band(tvb(0, 1):uint(), 0xc7) == 0x40
end

function roost.dissector(tvb, pinfo, root)
    if is_pair(tvb) then
        pinfo.cols.protocol = "ROOST"
        return dissect_pair(tvb, pinfo, root)
    end
    if not is_datagram(tvb) then return 0 end
    pinfo.cols.protocol = "ROOST"
    local flags, session, low = tvb(0, 1):uint(), tvb(1, 4):uint(), tvb(5, 4):uint()
    local from_client = band(flags, 0x08) ~= 0
    local head, sealed, tail = 9, tvb:len() - 25, 0
    local tree = root:add(roost, tvb())
    local sub = tree:add(f.flags, tvb(0, 1))
    sub:add(f.tail_follows, tvb(0, 1))
    sub:add(f.phase, tvb(0, 1))
    sub:add(f.client, tvb(0, 1))
    tree:add(f.session, tvb(1, 4))
    tree:add(f.low, tvb(5, 4))
    if band(flags, 0x20) ~= 0 then
        head, sealed = 11, tvb(9, 2):uint()
        tree:add(f.sealed_len, tvb(9, 2))
        tail = tvb:len() - head - sealed - 16
    end
    if sealed < 1 or tail < 0 then
        tree:add_proto_expert_info(broken)
        return tvb:len()
    end
    local at = place(pinfo, tvb:offset(), session, from_client, band(rshift(flags, 4), 1), low)
    tree:add(f.number, tvb(5, 4), UInt64.new(at.number % 4294967296, math.floor(at.number / 4294967296))):set_generated()
    tree:add(f.generation, tvb(0, 1), at.generation):set_generated()
    tree:add(f.sealed, tvb(head, sealed))
    tree:add(f.tag, tvb(head + sealed, 16))
    if tail > 0 then tree:add(f.tail, tvb(head + sealed + 16, tail)) end
    local info = string.format("%s #%.0f", from_client and "client" or "server", at.number)
    local keys = keys_of(session, from_client, at.generation)
    if keys then
        local text = open_text(keys.w, nonce_of(keys.iv, at.number), tvb(head, sealed):raw())
        local opened = ByteArray.new(text, true):tvb("Opened frames")
        info = info .. ": " .. read_frames(opened, tree)
    end
    pinfo.cols.info = info
    return tvb:len()
end

DissectorTable.get("udp.port"):add(5001, roost)
roost:register_heuristic("udp", function(tvb, pinfo, root)
    if not is_pair(tvb) and not (is_datagram(tvb) and (announced[tvb(1, 4):uint()] or known[tvb(1, 4):uint()])) then
        return false
    end
    roost.dissector(tvb, pinfo, root)
    return true
end)

-- ---- control ------------------------------------------------------------------------------------------------

local control = Proto("roost_control", "Roost control")
local c = {
    length = ProtoField.uint32("roost_control.length", "Length"),
    message = ProtoField.string("roost_control.message", "Message"),
    body = ProtoField.uint32("roost_control.body", "Number of the body"),
}
for _, field in pairs(c) do table.insert(control.fields, field) end

-- The field of the oneof: its number in `names`. protobuf: a tag is a number and how it is written.
local function body_of(tvb, names)
    local at = 0
    local function varint()
        local n, by = 0, 1
        while at < tvb:len() do
            local byte = tvb(at, 1):uint()
            at, n, by = at + 1, n + byte % 128 * by, by * 128
            if byte < 128 then return n end
        end
        return nil
    end
    while at < tvb:len() do
        local tag = varint()
        if not tag then return nil end
        local number, wire = math.floor(tag / 8), tag % 8
        if names[number] then return number end
        if wire == 0 then
            varint()
        elseif wire == 2 then
            at = at + (varint() or tvb:len())
        else
            return nil
        end
    end
end

-- Of roost.proto; a test compares them.
local to_server = {
    [10] = "hello", [11] = "ping", [12] = "sign_up", [13] = "login", [14] = "resume", [15] = "logout",
    [16] = "whoami", [17] = "passwd", [18] = "list_sessions", [19] = "end_session", [20] = "delete_account",
    [21] = "reset_password", [22] = "guest", [30] = "who", [31] = "ignore", [32] = "away", [33] = "typing",
    [34] = "watch_people", [35] = "datagrams", [36] = "tunnel", [40] = "say", [41] = "edit", [42] = "delete",
    [43] = "react", [44] = "sync", [45] = "read", [46] = "mark", [47] = "search", [48] = "earlier",
    [50] = "list_rooms", [51] = "new_room", [52] = "join", [53] = "leave", [54] = "close_room", [55] = "invite",
    [56] = "remove", [57] = "ban", [58] = "set_role", [59] = "members", [60] = "set_topic", [61] = "pin",
    [62] = "set_room", [63] = "mute_room", [70] = "calc", [80] = "admin_users", [81] = "admin_user_new",
    [82] = "admin_reset", [83] = "admin_role", [84] = "admin_delete", [85] = "admin_blocks", [86] = "admin_block",
    [87] = "admin_unblock", [88] = "admin_sessions", [89] = "admin_end_session", [90] = "admin_rooms",
    [91] = "admin_invite", [92] = "admin_log", [93] = "admin_export", [94] = "admin_backup", [95] = "admin_restore",
    [96] = "admin_stats", [97] = "admin_check", [100] = "meet_new", [101] = "meet_join", [102] = "meet_act",
    [103] = "meet_who", [104] = "meet_list", [105] = "meet_note", [106] = "meet_react", [107] = "admin_meetings",
    [108] = "media_enter", [109] = "media_leave", [110] = "media_publish", [111] = "media_unpublish", [112] = "media_want",
    [113] = "media_keys", [114] = "media_report", [115] = "meet_stats",
    [120] = "file_offer", [121] = "file_answer", [122] = "file_state", [123] = "file_get", [124] = "file_list",
    [125] = "file_cancel", [126] = "file_forget", [127] = "file_signal", [128] = "file_relay", [129] = "code_new",
    [130] = "code_join", [131] = "code_end", [132] = "file_progress",
}
local to_client = {
    [1] = "reply", [2] = "event", [3] = "people_changed", [4] = "typing_now", [5] = "room_changed", [6] = "receipt",
    [7] = "behind", [8] = "notice", [9] = "session_over", [10] = "log_line", [11] = "meet_now", [12] = "meet_lobby",
    [13] = "meet_here", [14] = "meet_reacted", [15] = "ignore_changed",
    [16] = "file_offered", [17] = "file_state", [18] = "file_signal", [19] = "code_met", [20] = "media_roster", [21] = "media_streams", [22] = "media_speaker", [23] = "media_keys",
    [24] = "media_over",
}

-- Who speaks first is the client; a capture that begins later is told by the server's usual port.
local clients = {}

function control.init()
    clients = {}
end

local function is_from_client(pinfo)
    local here = tostring(pinfo.src) .. " " .. pinfo.src_port
    local there = tostring(pinfo.dst) .. " " .. pinfo.dst_port
    local both = here < there and here .. " " .. there or there .. " " .. here
    if not clients[both] then clients[both] = pinfo.src_port == 5000 and there or here end
    return clients[both] == here
end

local function one_message(tvb, pinfo, root)
    local from_client = is_from_client(pinfo)
    local name = from_client and "ToServer" or "ToClient"
    local tree = root:add(control, tvb(), "Roost control, " .. name)
    tree:add(c.length, tvb(0, 4))
    local body = tvb(4):tvb()
    local names = from_client and to_server or to_client
    local number = body:len() > 0 and body_of(body, names)
    local what = number and names[number] or "?"
    tree:add(c.message, tvb(4), name .. "." .. what)
    if number then tree:add(c.body, tvb(4), number) end
    pinfo.cols.protocol = "ROOST/TLS"
    pinfo.cols.info:append(" " .. name .. "." .. what)
    local protobuf = Dissector.get("protobuf")
    if protobuf and body:len() > 0 then
        pinfo.private["pb_msg_type"] = "message,roost." .. name
        pcall(protobuf.call, protobuf, body, pinfo, tree)
    end
    return tvb:len()
end

function control.dissector(tvb, pinfo, root)
    pinfo.cols.info = ""
    dissect_tcp_pdus(tvb, root, 4, function(t, _, at) return 4 + t(at, 4):uint() end, one_message)
    return tvb:len()
end

DissectorTable.get("tls.alpn"):add("roost/1", control)
