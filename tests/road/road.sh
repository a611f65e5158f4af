# The road to a leased queue with ethtool and iproute2, and with the kernel's family of netdev by NLEMU, which takes the
# options of its own tool and has namespaces in $NLEMU_DIR. Step by step: docs/leases.md. NIC, QUEUES: whose last queue
# is leased; INDEX: of the NIC.
set -eu
last=$((QUEUES - 1))

$NLEMU ynl --family netdev --do queue-get --json "{\"ifindex\": $INDEX, \"type\": \"rx\", \"id\": $last}" > /dev/null
! $NLEMU ynl --family netdev --do queue-get --json "{\"ifindex\": $INDEX, \"type\": \"rx\", \"id\": $QUEUES}" 2> /dev/null

ethtool -X "$NIC" equal "$last"
ethtool -x "$NIC" | grep -c "^ *[0-9]*:.* $last\b" && exit 1

wanted='"tcp-data-split": "enabled"'
$NLEMU ynl --family ethtool --do rings-get --json "{\"header\": {\"dev-name\": \"$NIC\"}}" | grep -q hds-thresh &&
    wanted="$wanted, \"hds-thresh\": 0"
split() {
    $NLEMU ynl --family ethtool --do rings-set --json "{\"header\": {\"dev-name\": \"$NIC\"}, $wanted}"
}
split 2> /dev/null || { ethtool -K "$NIC" rx-gro-hw on; split; }

ip netns add pod
$NLEMU ynl --family rt-link --do newlink --create --json '{"ifname": "nk0", "linkinfo": {"kind": "netkit",
    "data": {"mode": "l2", "peer-info": {"ifname": "eth0", "num-rx-queues": 2, "net-ns-fd": 9}}}}' 9< "$NLEMU_DIR/pod"
peer=$(ip -n pod -o link show dev eth0 | cut -d: -f1)
id=$(ip -n pod netns list-id | cut -d' ' -f2)

ip netns exec pod $NLEMU ynl --netns pod --family netdev --do queue-create --json "{\"ifindex\": $peer, \"type\": \"rx\",
    \"lease\": {\"ifindex\": $INDEX, \"queue\": {\"id\": $last, \"type\": \"rx\"}, \"netns-id\": $id}}"

ethtool -K "$NIC" ntuple on
ethtool -N "$NIC" flow-type tcp4 dst-ip 10.0.0.1 dst-port 80 action "$last"
ethtool -n "$NIC" | grep "Direct to queue $last"
if ethtool -L "$NIC" combined "$((QUEUES - 2))" 2> /dev/null; then exit 1; fi
