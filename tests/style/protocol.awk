# SPDX-License-Identifier: GPL-2.0-only
#
# Prints what docs/protocol.rst says of each message, event, ioctl and rule, in
# the form of protocol.c. A row is the heading and the fields below it.

# The number of bytes in brackets; what is not said is 0.
function bytes(text)
{
	if (!match(text, /\([0-9]+ bytes\)/))
		return 0
	return substr(text, RSTART + 1, RLENGTH - 8) + 0
}

function words(text)
{
	gsub(/,/, "", text)
	return text
}

function sizes()
{
	return name " " field["Id"] " in " bytes(field["Parameters"]) \
	       " out " bytes(field["Returns"])
}

function flags()
{
	return (field["Permission"] == "always allowed" ? " always" : "") \
	       (field["Parameters"] field["Returns"] ~ /, tail/ ? " tail" : "")
}

function state()
{
	if (!("Status" in field))
		return ""
	return field["Status"] == planned ? " planned" : " " field["Status"]
}

function row()
{
	if (name ~ /^KVM_INTROSPECTION_/)
		print "ioctl " name " errors " words(field["Errors"])
	else if (name ~ /^KVMI_(VM|VCPU)_EVENT_/)
		print "event " sizes() " actions " words(field["Actions"]) \
		      state()
	else if (name ~ /^KVMI_/)
		print "message " sizes() flags() " errors " \
		      words(field["Errors"]) state()
	name = key = ""
	split("", field)
}

function rule(line)
{
	gsub(/`/, "", line)
	sub(/ \(not implemented yet\)$/, " planned", line)
	gsub(/[()]/, "", line)
	print "rule " line
}

BEGIN {
	planned = "not implemented yet: answered like an unknown id"
}

/^(-+|~+)$/ && previous ~ /^KVM[A-Z_0-9]+$/ {
	row()
	name = previous
}

/^:[A-Z][a-z]+:/ {
	key = $1
	gsub(/:/, "", key)
	value = $0
	sub(/^:[^:]+: */, "", value)
	field[key] = value
}

/^ / && key {
	value = $0
	sub(/^ +/, "", value)
	field[key] = field[key] " " value
}

/^$/ && key {
	row()
}

/^``[a-z_]+``( \(-KVM_[A-Z]+\))?( \(not implemented yet\))?$/ {
	rule($0)
}

{
	previous = $0
}
