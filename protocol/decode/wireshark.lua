-- Messages of generic netlink for Wireshark and tshark, written by `nlemu dissector` from nlemu's declarations.
--
--   tshark -X lua_script:nlemu.lua -r FILE -V
--
-- Wireshark knows the headers of netlink, and of families a few. This shows what is in messages of the others, below
-- what Wireshark shows: the operation, attributes by name with what is inside them, enumerations and flags by name; and
-- of errors the text and the attribute that is blamed. The numbers of families are learnt from the answers of nlctrl in
-- the capture. An answer that comes after the messages that it is about serves from the second pass on (tshark -2, or
-- reloading in Wireshark); where there is none, the preference "numbers" tells (-o nlemu.numbers:netdev=20).

--@TABLES

local GENERIC, COOKED, HEADER, GENERIC_HEADER, CTRL = 16, 16, 16, 4, 16
local REQUEST, CAPPED, ACK_TLVS = 0x1, 0x100, 0x200
local ERROR, DONE = 2, 3
local DEPTH, LONG = 16, 200

local nlemu = Proto("nlemu", "Netlink, by nlemu's declarations")
nlemu.prefs.numbers = Pref.string("Numbers of families", "",
  "NAME=NUMBER, separated by commas, of families that no answer of nlctrl in the capture tells")

local SIZES = {
  u8 = {1}, u16 = {2}, u32 = {4}, u64 = {8}, s16 = {2}, s32 = {4}, s64 = {8}, be16 = {2}, be32 = {4}, uint = {4, 8},
}
local MAKE = {
  u8 = ProtoField.uint8, u16 = ProtoField.uint16, u32 = ProtoField.uint32, u64 = ProtoField.uint64,
  s16 = ProtoField.int16, s32 = ProtoField.int32, s64 = ProtoField.int64, be16 = ProtoField.uint16,
  be32 = ProtoField.uint32, uint = ProtoField.uint64,
}

local general = {
  family = ProtoField.string("nlemu.family", "Family"),
  command = ProtoField.string("nlemu.command", "Command"),
  errno = ProtoField.string("nlemu.errno", "Errno"),
  number = ProtoField.uint32("nlemu.unknown", "Attribute that is not declared"),
  member = ProtoField.uint32("nlemu.member", "Member"),
  rest = ProtoField.bytes("nlemu.rest", "Bytes that make no attribute"),
}

local fields = {}
for _, field in pairs(general) do fields[#fields + 1] = field end
for key, set in pairs(SETS) do
  for _, attr in pairs(set) do
    local abbreviation = "nlemu." .. key .. "." .. attr.name
    local make = MAKE[attr.kind]
    if make then
      attr.field = make(abbreviation, attr.name, base.DEC)
    elseif attr.kind == "string" then
      attr.field = ProtoField.string(abbreviation, attr.name)
    elseif attr.kind == "binary" then
      attr.field = ProtoField.bytes(abbreviation, attr.name)
    else
      attr.field = ProtoField.none(abbreviation, attr.name)
    end
    fields[#fields + 1] = attr.field
  end
end
nlemu.fields = fields

local protocols = Field.new("frame.protocols")

local learnt, given, requests = {}, {}, {}

local function read_preference()
  given = {}
  for name, number in string.gmatch(nlemu.prefs.numbers or "", "([^%s,=]+)=(%d+)") do given[tonumber(number)] = name end
end

function nlemu.init()
  learnt, requests = {[CTRL] = "nlctrl"}, {}
  read_preference()
end

function nlemu.prefs_changed() read_preference() end

local function has(flags, flag) return math.floor(flags / flag) % 2 == 1 end

local function aligned(length) return length + (4 - length % 4) % 4 end

-- Bytes of a Tvb or of a ByteArray that was kept, as functions of offsets.
local function of_tvb(tvb, start)
  return function(at) return tvb(start + at, 2):le_uint() end
end

local function of_bytes(bytes)
  return function(at) return bytes:get_index(at) + 256 * bytes:get_index(at + 1) end
end

-- Calls visit(number, offset, length) for each attribute; returns where they end.
local function walk(u16, at, stop, visit)
  while stop - at >= 4 do
    local length = u16(at)
    if length < 4 or length > stop - at then break end
    visit(u16(at + 2) % 0x4000, at, length)
    at = at + aligned(length)
  end
  return math.min(at, stop)
end

local function inside(attr)
  if attr.kind == "nest" then return attr.set and SETS[attr.set] or {} end
end

-- The path of the attribute whose header stands at an offset; nil where none does.
local function path_at(u16, at, stop, set, wanted)
  local found
  walk(u16, at, stop, function(number, start, length)
    local attr = set[number]
    local name = "." .. (attr and attr.name or "[" .. number .. "]")
    if start == wanted then
      found = name
    elseif start < wanted and wanted < start + length and attr and inside(attr) then
      local rest = path_at(u16, start + 4, start + length, inside(attr), wanted)
      found = rest and name .. rest or found
    end
  end)
  return found
end

-- A string up to its NUL, which need not be there.
local function text_of(tvb, start, size)
  for at = 0, size - 1 do
    if tvb(start + at, 1):uint() == 0 then size = at break end
  end
  return size > 0 and tvb(start, size):string() or ""
end

local function flag_names(value, names)
  local found = {}
  for _, one in ipairs(names) do
    if has(value, one[1]) then found[#found + 1] = one[2] end
  end
  return table.concat(found, " ")
end

local show

-- One attribute, or member of an array, whose payload stands between two offsets.
local function show_attribute(tvb, at, length, attr, tree, depth, number)
  local start, size = at + 4, length - 4
  local whole = tvb(at, length)
  local item
  if attr.kind == "nest" or attr.kind == "array" then
    item = attr.field and tree:add(attr.field, whole) or tree:add(general.member, whole, number)
    if depth < DEPTH then
      local members
      if attr.kind == "array" then members = setmetatable({}, {__index = function() return attr.member end}) end
      show(tvb, start, start + size, members or inside(attr), item, depth + 1)
    end
    return
  end
  local fits = false
  for _, one in ipairs(SIZES[attr.kind] or {}) do fits = fits or one == size end
  if SIZES[attr.kind] and not fits then
    item = tree:add(general.number, whole, number)
    item:set_text((attr.name or number) .. ": " .. size .. " bytes, which is no " .. attr.kind)
    return
  end
  if SIZES[attr.kind] then
    local payload = tvb(start, size)
    local big = attr.kind == "be16" or attr.kind == "be32"
    local value
    if size == 8 then
      value = attr.kind == "s64" and payload:le_int64() or payload:le_uint64()
    elseif attr.kind:sub(1, 1) == "s" then
      value = payload:le_int()
    else
      value = big and payload:uint() or payload:le_uint()
    end
    if not attr.field then
      tree:add(general.member, whole, number):set_text(number .. ": " .. tostring(value))
      return
    end
    item = big and tree:add(attr.field, payload) or tree:add_le(attr.field, payload)
    local plain = type(value) == "number" and value or value:tonumber()
    if attr.enum then
      local name = ENUMS[attr.enum][plain]
      if name then item:append_text(" (" .. name .. ")") end
    elseif attr.flags then
      local names = flag_names(plain, ENUMS[attr.flags])
      if names ~= "" then item:append_text(" (" .. names .. ")") end
    end
  elseif size == 0 then
    if not attr.field then
      tree:add(general.member, whole, number)
    elseif attr.kind == "string" then
      tree:add(attr.field, whole, "")
    else
      tree:add(attr.field, whole):set_text(attr.name)
    end
  elseif attr.kind == "string" then
    tree:add(attr.field, tvb(start, size), text_of(tvb, start, size))
  elseif attr.field and attr.kind == "binary" then
    tree:add(attr.field, tvb(start, size))
  else
    tree:add(general.number, whole, number)
  end
end

function show(tvb, at, stop, set, tree, depth)
  local ended = walk(of_tvb(tvb, 0), at, stop, function(number, start, length)
    local attr = set[number]
    if attr then
      show_attribute(tvb, start, length, attr, tree, depth, number)
    else
      local item = tree:add(general.number, tvb(start, length), number)
      item:append_text(" (" .. (length - 4) .. " bytes)")
    end
  end)
  if ended < stop then tree:add(general.rest, tvb(ended, stop - ended)) end
end

local function family_of(kind)
  local name = learnt[kind] or given[kind]
  return name, name and FAMILIES[name]
end

-- What a command is called and which attributes it holds: asked for, or told.
local function operation(family, command, flags)
  local known = family and family[command]
  if not known then return nil end
  return has(flags, REQUEST) and (known.asked or known.told) or known.told or known.asked
end

local function learn(tvb, at, length)
  local command = tvb(at + HEADER, 1):uint()
  if command ~= 1 and command ~= 3 then return end
  local number, name
  walk(of_tvb(tvb, 0), at + HEADER + GENERIC_HEADER, at + length, function(attribute, start, size)
    if attribute == 1 and size == 6 then number = tvb(start + 4, 2):le_uint() end
    if attribute == 2 and size > 4 then name = text_of(tvb, start + 4, size - 4) end
  end)
  if number and name then learnt[number] = name end
end

local function show_generic(tvb, at, length, kind, flags, root)
  local name, family = family_of(kind)
  if length < HEADER + GENERIC_HEADER then return nil end
  if kind == CTRL and not has(flags, REQUEST) then learn(tvb, at, length) end
  if kind == CTRL then return nil end
  if not family then return name and name .. " command " .. tvb(at + HEADER, 1):uint() end
  local command = tvb(at + HEADER, 1):uint()
  local op = operation(family, command, flags)
  local title = name .. " " .. (op and op.name or "command " .. command)
  title = title .. (has(flags, REQUEST) and " request" or op and op.news and " notification" or " reply")
  local tree = root:add(nlemu, tvb(at, length), title)
  tree:add(general.family, tvb(at + 4, 2), name)
  tree:add(general.command, tvb(at + HEADER, 1), op and op.name or tostring(command))
  show(tvb, at + HEADER + GENERIC_HEADER, at + length, op and SETS[op.set] or {}, tree, 0)
  return title
end

-- The request that an error is about: what it repeats, or what was asked under that number before this frame.
local function asked_by(tvb, at, length, protocol, seq, flags, frame)
  local original = at + HEADER + 4
  if original + HEADER > at + length then return nil end
  local size = tvb(original, 4):le_uint()
  if not has(flags, CAPPED) and size >= HEADER and original + size <= at + length then
    return tvb(original, size):bytes(), size
  end
  local last = 0
  local before = protocol == GENERIC and requests[seq] or {}
  for number in pairs(before) do
    if number < frame and number > last then last = number end
  end
  return before[last], HEADER
end

local function about(bytes, offset)
  if not bytes or bytes:len() < HEADER + GENERIC_HEADER then return nil end
  local u16 = of_bytes(bytes)
  local _, family = family_of(u16(4))
  local op = operation(family, bytes:get_index(HEADER), REQUEST)
  return op and path_at(u16, HEADER + GENERIC_HEADER, bytes:len(), SETS[op.set], offset)
end

local function named(bytes)
  if not bytes or bytes:len() < HEADER + GENERIC_HEADER then return "" end
  local name, family = family_of(of_bytes(bytes)(4))
  local op = operation(family, bytes:get_index(HEADER), REQUEST)
  return name and " to " .. name .. " " .. (op and op.name or "command " .. bytes:get_index(HEADER)) or ""
end

local function show_end(tvb, at, length, kind, flags, protocol, seq, frame, root)
  if length < HEADER + 4 then return nil end
  local errno = -tvb(at + HEADER, 4):le_int()
  if kind == DONE and errno <= 0 then return "done" end
  local name = ERRNOS[errno] or tostring(errno)
  local title = errno == 0 and "ack" or kind == DONE and "end of dump, " .. name or "error " .. name
  local attributes, request = at + HEADER + 4, nil
  if kind == ERROR then
    local repeated
    request, repeated = asked_by(tvb, at, length, protocol, seq, flags, frame)
    repeated = errno == 0 and HEADER or repeated or HEADER
    attributes = attributes + aligned(has(flags, CAPPED) and HEADER or repeated)
    if protocol == GENERIC then title = title .. named(request) end
  end
  local tells = has(flags, ACK_TLVS) and attributes < at + length
  if errno == 0 and not tells then return title end
  local tree = root:add(nlemu, tvb(at, length), title)
  tree:add(general.errno, tvb(at + HEADER, 4), errno == 0 and "0" or name)
  if tells then
    show(tvb, attributes, at + length, SETS["extack"], tree, 0)
    walk(of_tvb(tvb, 0), attributes, at + length, function(attribute, start, size)
      if size == 8 and protocol == GENERIC and SETS["extack"][attribute].name == "offs" then
        local path = about(request, tvb(start + 4, 4):le_uint())
        if path then tree:append_text(", at " .. path) end
      end
    end)
  end
  return title
end

function nlemu.dissector(tvb, pinfo, root)
  -- The cooked header: of netlink's hardware type, without an address.
  if tvb:len() < COOKED + HEADER or tvb(2, 2):uint() ~= 824 or tvb(4, 4):uint() ~= 0 then return end
  local known = protocols()  -- nil where Wireshark makes no tree, as in the first of two passes
  if known and not tostring(known):find("^netlink") then return end
  local protocol = tvb(14, 2):uint()
  local titles, at = {}, COOKED
  while tvb:len() - at >= HEADER do
    local length = tvb(at, 4):le_uint()
    if length < HEADER or length > tvb:len() - at then break end
    local kind, flags, seq = tvb(at + 4, 2):le_uint(), tvb(at + 6, 2):le_uint(), tvb(at + 8, 4):le_uint()
    if has(flags, REQUEST) and kind >= 16 and protocol == GENERIC then
      requests[seq] = requests[seq] or {}
      requests[seq][pinfo.number] = tvb(at, length):bytes()
    end
    local title
    if kind == ERROR or kind == DONE then
      title = show_end(tvb, at, length, kind, flags, protocol, seq, pinfo.number, root)
    elseif protocol == GENERIC and kind >= 16 then
      title = show_generic(tvb, at, length, kind, flags, root)
    end
    if title and titles[#titles] ~= title then titles[#titles + 1] = title end
    at = at + aligned(length)
  end
  if protocol == GENERIC and #titles > 0 then pinfo.cols.info:set(table.concat(titles, "; "):sub(1, LONG)) end
end

register_postdissector(nlemu)
