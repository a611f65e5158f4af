"""The table of docs/queues.md: who binds what through which side, and what comes of it. Each row is a test.

`python -m tests.emulator.script.queue_table` writes the table into the page; a test fails when it has not been done.
"""

from __future__ import annotations

from pathlib import Path

from tests.emulator.script.queue_world import (
    Bind,
    BindTx,
    Channels,
    Close,
    Delete,
    End,
    Lease,
    Link,
    Move,
    Plug,
    Rings,
    Row,
    Unplug,
    Xdp,
    Xsk,
    Zcrx,
)

PAGE = Path(__file__).parents[3] / "docs" / "queues.md"
BEGIN = "<!-- the table: written by python -m tests.emulator.script.queue_table -->"
FINISH = "<!-- the end of the table -->"

SPLIT = Rings()
LEASED = Lease(1)
L = "nic 1: lease"  # what a lease alone shows

XSK_SOURCE = "xp_assign_dev()"
REGISTER = "xsk_reg_pool_at_qid()"
NETKIT_XSK = "netkit_xsk()"
OPEN = "__netif_mp_open_rxq()"
REDIRECT = "netif_mp_open_rxq()"
ZCRX = "io_register_zcrx()"
ZCRX_DEV = "zcrx_register_netdev()"
AREA = "io_zcrx_create_area()"
BIND_RX = "netdev_nl_bind_rx_doit()"
BIND_TX = "netdev_nl_bind_tx_doit()"
DMA = "netdev_nl_get_dma_dev()"
BUSY = "netdev_queue_busy()"
CHANNELS = "ethtool_check_max_channel()"
RINGS = "ethnl_set_rings()"
XDP = "dev_xdp_install()"
UNLEASE = "netif_rxq_cleanup_unlease()"
NOTIFIER = "xsk_notifier()"
N11 = "n11_bind"
N12 = "n12_programs"
Q01 = "q01_io_uring"
Q02 = "q02_af_xdp"
Q03 = "q03_dmabuf"
Q04 = "q04_unplug_in_use"
Q05 = "q05_pair_in_use"
Q06 = "q06_umem"
Q07 = "q07_rings"
Q08 = "q08_moves"
Q09 = "q09_dmabufs"
Q10 = "q10_xdp"
E01 = "e01_channels"
N07 = "n07_create_errors"
BOUND = "designated queue already memory provider bound"
NO_DMA = "Device doesn't support DMA"
GOES = "netkit_check_lease_unregister()"
MOVES = "__dev_change_net_namespace()"
MP = "Device queue in use by memory provider"
BIND = "net_devmem_bind_dmabuf()"
NO_PAGES = "device does not support: rx_page_size"
SEGMENTS, SHARING = "zero-copy in segments", "sharing that umem"
SHARED = (("shared", "x"),)

SECTIONS: dict[str, list[Row]] = {
    "AF_XDP": [
        Row([], Xsk("nic", 0), None, None, XSK_SOURCE, Q02, "nic 0: xsk"),
        Row([], Xsk("nic", 0, 2), None, None, XSK_SOURCE, N12, "nic 0: xsk"),
        Row([], Xsk("nic", 0, 0), None, None, XSK_SOURCE, Q06, "nic 0: xsk"),
        Row([Xsk("nic", 0, 2)], Xsk("nic", 0, 2, "y"), "EBUSY", None, XSK_SOURCE, N12),
        Row([], Xsk("nic", 9), "EINVAL", None, REGISTER, N12),
        Row([], Xsk("nowhere", 0), "ENODEV", None, "xsk_bind()", N12),
        Row([LEASED], Xsk("nic", 1), "EBUSY", None, REGISTER, Q02),
        Row([LEASED], Xsk("nic", 1, 2), "EBUSY", None, REGISTER, N12),
        Row([LEASED], Xsk("lessee", 1), None, None, NETKIT_XSK, Q02, "nic 1: xsk, lease; lessee 1: xsk"),
        Row([LEASED], Xsk("lessee", 1, 2), None, None, REGISTER, Q02, "nic 1: xsk, lease; lessee 1: xsk"),
        Row([LEASED, Xsk("lessee", 1)], Xsk("lessee", 1, 4, "y"), "EBUSY", None, REGISTER, Q02),
        Row([LEASED], Xsk("lessee", 0), "EOPNOTSUPP", None, NETKIT_XSK, Q02),
        Row([LEASED], Xsk("lessee", 0, 2), None, None, XSK_SOURCE, Q02, f"{L}; lessee 0: xsk"),
        Row([LEASED], Xsk("lessee", 9), "EINVAL", None, REGISTER, Q02),
        Row([Lease(1, "peer")], Xsk("peer", 1), "EOPNOTSUPP", None, XSK_SOURCE, Q05),
        Row([Lease(1, "peer")], Xsk("peer", 1, 2), None, None, REGISTER, Q05,
            "nic 1: xsk, lease; peer 1: xsk"),
        Row([SPLIT, Zcrx("nic", 0)], Xsk("nic", 1), "EBUSY", None, XSK_SOURCE, Q06),
        Row([SPLIT, Zcrx("nic", 0)], Xsk("nic", 1, 0), None, None, XSK_SOURCE, Q06, "nic 0: io-uring; nic 1: xsk"),
        Row([SPLIT, LEASED, Zcrx("nic", 0)], Xsk("lessee", 1), "EBUSY", None, NETKIT_XSK, Q06),
        Row([SPLIT, LEASED, Zcrx("nic", 0)], Xsk("lessee", 1, 0), None, None, NETKIT_XSK, Q06,
            "nic 0: io-uring; nic 1: xsk, lease; lessee 1: xsk"),
        Row([SPLIT, Zcrx("nic", 0)], Xsk("nic", 0, 2), None, None, REGISTER, Q09, "nic 0: io-uring, xsk"),
        Row([Xdp("nic")], Xsk("nic", 0), None, None, XSK_SOURCE, Q10, "nic 0: xsk"),
        Row([], Xsk("nic", 0, 6, words="both modes at once"), "EINVAL", None, XSK_SOURCE, Q06),
        Row([], Xsk("nic", 0, 64, words="an unknown flag"), "EINVAL", None, "xsk_bind()", Q06),
        Row([], Xsk("nic", 0, 20, words=SEGMENTS), "EOPNOTSUPP", None, XSK_SOURCE, Q06),
        Row([], Xsk("nic", 0, 4, fields=(("uid", 1000),), words="without CAP_NET_RAW"), "EPERM", None, "xsk_create()",
            Q06),
        Row([], Xsk("nic", 0, 4, fields=(("chunk_size", 3000),), words="chunks of 3000 bytes"), "EINVAL", None,
            "xdp_umem_reg()", Q06),
        Row([], Xsk("nic", 0, 4, fields=(("chunk_size", 2048), ("headroom", 300)), words="frames below the MTU"),
            "EINVAL", None, XSK_SOURCE, Q06),
        Row([Link("nic", mtu=3815)], Xsk("nic", 0), "EINVAL", None, XSK_SOURCE, Q06),
        Row([Link("nic", mtu=3814)], Xsk("nic", 0), None, None, XSK_SOURCE, Q06, "nic 0: xsk"),
        Row([LEASED, Link("nic", mtu=3815)], Xsk("lessee", 1), None, None, XSK_SOURCE, Q06,
            "nic 1: xsk, lease; lessee 1: xsk"),
        Row([LEASED, Link("lessee", mtu=3815)], Xsk("lessee", 1), "EINVAL", None, XSK_SOURCE, Q06),
        Row([Xsk("nic", 0)], Xsk("nic", 0, 0, "y", SHARED, SHARING), None, None, "xsk_bind()",
            Q06, "nic 0: xsk"),
        Row([Xsk("nic", 0)], Xsk("nic", 1, 0, "y", SHARED, SHARING), None, None,
            "xp_assign_dev_shared()", Q06, "nic 0: xsk; nic 1: xsk"),
        Row([LEASED, Xsk("nic", 0)], Xsk("lessee", 1, 0, "y", SHARED, SHARING), None, None,
            "xp_assign_dev_shared()", Q06, "nic 0: xsk; nic 1: xsk, lease; lessee 1: xsk"),
        Row([Xsk("nic", 0)], Xsk("nic", 1, 2, "y", SHARED, "sharing it, with a mode"), "EINVAL", None,
            "xsk_bind()", Q06),
    ],
    "io_uring": [
        Row([], Zcrx("nic", 0), "EINVAL", "tcp-data-split is disabled", OPEN, Q01),
        Row([Rings(thresh=100)], Zcrx("nic", 0), "EINVAL", "hds-thresh is not zero", OPEN, Q01),
        Row([SPLIT], Zcrx("nic", 0), None, None, OPEN, Q01, "nic 0: io-uring"),
        Row([SPLIT, Zcrx("nic", 0)], Zcrx("nic", 0, "y"), "EEXIST", BOUND, OPEN,
            Q01),
        Row([SPLIT, LEASED], Zcrx("nic", 1), "EOPNOTSUPP", None, ZCRX_DEV, Q01),
        Row([SPLIT, LEASED], Zcrx("lessee", 1), None, None, REDIRECT, Q01,
            "nic 1: io-uring, lease; lessee 1: io-uring"),
        Row([SPLIT, LEASED, Zcrx("lessee", 1)], Zcrx("lessee", 1, "y"), "EEXIST",
            BOUND, OPEN, Q01),
        Row([SPLIT, LEASED], Zcrx("lessee", 0), "EOPNOTSUPP", None, ZCRX_DEV, Q01),
        Row([SPLIT, LEASED], Zcrx("lessee", 9), "EOPNOTSUPP", None, ZCRX_DEV, Q01),
        Row([SPLIT], Zcrx("nic", 77), "ERANGE", "rx queue index out of range", REDIRECT, Q07),
        Row([SPLIT], Zcrx("nic", 0xFFFFFFFF), "EINVAL", None, ZCRX, Q07),
        Row([], Zcrx("nowhere", 0), "ENODEV", None, ZCRX_DEV, N12),
        Row([], Zcrx("lo", 0), "EOPNOTSUPP", None, ZCRX_DEV, N12),
        Row([SPLIT], Zcrx("primary", 0), "EOPNOTSUPP", None, ZCRX_DEV, Q07),
        Row([SPLIT, Lease(1, "peer")], Zcrx("peer", 1), None, None, REDIRECT, Q05,
            "nic 1: io-uring, lease; peer 1: io-uring"),
        Row([SPLIT, LEASED, Xsk("lessee", 1)], Zcrx("lessee", 1), "EBUSY", "designated queue already in use by AF_XDP",
            OPEN, Q02),
        Row([SPLIT, LEASED, Xsk("lessee", 1)], Zcrx("nic", 0), None, None, OPEN, Q08,
            "nic 0: io-uring; nic 1: xsk, lease; lessee 1: xsk"),
        Row([SPLIT, Xdp("nic", (("frags", True),))], Zcrx("nic", 0), "EEXIST",
            "unable to custom memory provider to device with XDP program attached", OPEN, Q10),
        Row([SPLIT, LEASED, Xdp("nic", (("frags", True),))], Zcrx("lessee", 1), "EEXIST",
            "unable to custom memory provider to device with XDP program attached", OPEN, Q10),
        Row([SPLIT], Zcrx("nic", 0, fields=(("uid", 1000),)), "EPERM", None, ZCRX, Q07),
        Row([SPLIT], Zcrx("nic", 0, fields=(("rx_buf_len", 2048),)), "EINVAL", None, AREA, Q07),
        Row([SPLIT], Zcrx("nic", 0, fields=(("rx_buf_len", 5000),)), "EINVAL", None, AREA, Q07),
        Row([SPLIT], Zcrx("nic", 0, fields=(("rx_buf_len", 8192),)), "ERANGE", None, AREA, Q07),
        Row([SPLIT], Zcrx("nic", 0, fields=(("rx_buf_len", 4096),)), "EOPNOTSUPP", NO_PAGES,
            OPEN, Q07),
        Row([SPLIT], Zcrx("nic", 0, fields=(("rx_buf_len", 8192), ("contiguous", 1 << 20))), "EOPNOTSUPP",
            NO_PAGES, OPEN, Q07),
        Row([SPLIT, Link("nic", False), Zcrx("nic", 0)], Link("nic", True), None, None, "netdev_rx_queue_reconfig()",
            Q07, "nic 0: io-uring"),
        Row([SPLIT, LEASED, Link("lessee", False), Zcrx("lessee", 1)], Link("lessee", True), None, None, REDIRECT,
            Q07, "nic 1: io-uring, lease; lessee 1: io-uring"),
    ],
    "dmabufs": [
        Row([], Bind("nic", (0,)), "EINVAL", "tcp-data-split is disabled", OPEN, Q03),
        Row([SPLIT], Bind("nic", (0, 2)), None, None, BIND_RX, Q03, "nic 0: dmabuf; nic 2: dmabuf"),
        Row([SPLIT, Bind("nic", (0,))], Bind("nic", (0,)), "EEXIST", BOUND, OPEN,
            Q03),
        Row([SPLIT, Bind("nic", (0,))], Bind("nic", (3, 0)), "EEXIST", BOUND,
            OPEN, Q09),
        Row([SPLIT, LEASED], Bind("nic", (1,)), "EOPNOTSUPP", NO_DMA, BIND,
            Q03),
        Row([SPLIT, LEASED], Bind("nic", (0, 1)), "EOPNOTSUPP",
            "DMA device mismatch between queue 1 and 0 (multi-PF device?)", DMA, Q09),
        Row([SPLIT, LEASED], Bind("lessee", (1,)), None, None, REDIRECT, Q03,
            "nic 1: dmabuf, lease; lessee 1: dmabuf"),
        Row([SPLIT, LEASED], Bind("lessee", (0,)), "EOPNOTSUPP", NO_DMA, BIND,
            Q03),
        Row([SPLIT, LEASED, Lease(2)], Bind("lessee", (1, 2)), None, None, REDIRECT, Q09,
            "nic 1: dmabuf, lease; nic 2: dmabuf, lease; lessee 1: dmabuf; lessee 2: dmabuf"),
        Row([SPLIT, LEASED], Bind("lessee", (1, 0)), "EINVAL", "tcp-data-split is disabled", OPEN, Q09),
        Row([SPLIT, LEASED], Bind("lessee", (4,)), "EINVAL", None, "netdev_nl_read_rxq_bitmap()", Q09),
        Row([SPLIT], Bind("lo", (0,)), "EOPNOTSUPP", None, BIND_RX, N11),
        Row([SPLIT, Xsk("nic", 0)], Bind("nic", (0,)), "EBUSY", "designated queue already in use by AF_XDP",
            OPEN, None),
        Row([SPLIT], Bind("nic", (0,), fields=(("fd", 99),)), "EBADF", None, BIND, N11),
        Row([], BindTx("nic"), None, None, BIND_TX, Q03),
        Row([LEASED], BindTx("lessee"), None, None, "netdev_find_netmem_tx_dev()", Q03),
        Row([], BindTx("lessee"), "EOPNOTSUPP", "No DMA-capable device found for netmem TX", BIND_TX, Q09),
        Row([], BindTx("lo"), "EOPNOTSUPP", "Driver does not support netmem TX", BIND_TX, Q09),
    ],
    "leases of queues in use": [
        Row([Xsk("nic", 0)], Lease(0), "EBUSY", "Device queue in use by AF_XDP", BUSY, Q02),
        Row([Xsk("nic", 0, 2)], Lease(0), "EBUSY", "Device queue in use by AF_XDP", BUSY, N12),
        Row([SPLIT, Zcrx("nic", 0)], Lease(0), "EBUSY", MP, BUSY, Q01),
        Row([SPLIT, Bind("nic", (0,))], Lease(0), "EBUSY", MP, BUSY, Q03),
        Row([LEASED], Lease(1, "peer"), "EBUSY", "Device queue in use due to queue leasing", BUSY, N07),
        Row([Xsk("nic", 0), End("x")], Lease(0), None, None, BUSY, N12, "nic 0: lease"),
        Row([SPLIT, Zcrx("nic", 0), End("z")], Lease(0), None, None, BUSY, Q01, "nic 0: lease"),
    ],
    "what ethtool refuses meanwhile": [
        Row([SPLIT, Zcrx("nic", 1)], Channels(1), "EINVAL",
            "requested channel counts are too low for existing memory provider setting (2)", CHANNELS, Q01),
        Row([SPLIT, Zcrx("nic", 1)], Channels(2), "EINVAL",
            "requested channel counts are too low for existing memory provider setting (2)", CHANNELS, Q01),
        Row([SPLIT, Zcrx("nic", 1)], Channels(3), None, None, CHANNELS, None, "nic 1: io-uring"),
        Row([LEASED], Channels(1), "EINVAL", "Device queue in use due to queue leasing", BUSY, E01),
        Row([Xsk("nic", 3)], Channels(3), "EINVAL", "Device queue in use by AF_XDP", BUSY, Q02),
        Row([SPLIT, Zcrx("nic", 1)], Rings("disabled"), "EINVAL",
            "can't disable tcp-data-split while device has memory provider enabled", RINGS, Q01),
        Row([SPLIT, Zcrx("nic", 1)], Rings(thresh=10), "EINVAL",
            "can't set non-zero hds_thresh while device is memory provider enabled", RINGS, Q01),
        Row([Xdp("nic")], SPLIT, "EINVAL", "tcp-data-split can not be enabled with single buffer XDP", RINGS, Q10),
    ],
    "XDP programs": [
        Row([SPLIT], Xdp("nic"), "EBUSY", "unable to install XDP to device using tcp-data-split", XDP, Q10),
        Row([SPLIT], Xdp("nic", (("frags", True),)), None, None, XDP, Q10),
        Row([SPLIT, Zcrx("nic", 0)], Xdp("nic", (("frags", True),)), "EBUSY",
            "unable to install XDP to device using memory provider", XDP, Q10),
        Row([], Xdp("lessee"), "EOPNOTSUPP", None, NETKIT_XSK, Q10),
    ],
    "ends": [
        Row([LEASED, Xsk("lessee", 1)], End("x"), None, None, "xp_clear_dev()", Q02, L),
        Row([SPLIT, LEASED, Zcrx("lessee", 1)], End("z"), None, None, "io_close_queue()", Q01, L),
        Row([SPLIT, LEASED, Bind("lessee", (1,), "b")], Close("b"), None, None, "netdev_nl_sock_priv_destroy()",
            Q03, L),
        Row([SPLIT, LEASED, Bind("lessee", (1,), "b")], End("d0", "its descriptor is closed"), None, None,
            BIND, Q09, "nic 1: dmabuf, lease; lessee 1: dmabuf"),
        Row([LEASED, Xsk("lessee", 1)], Delete("lessee"), None, None, NOTIFIER, Q02, ""),
        Row([SPLIT, LEASED, Zcrx("lessee", 1)], Delete("lessee"), None, None, UNLEASE, Q01, ""),
        Row([SPLIT, LEASED, Bind("lessee", (1,))], Delete("lessee"), None, None, UNLEASE, Q09, ""),
        Row([SPLIT, LEASED, Zcrx("lessee", 1), Xsk("nic", 0, 2)], Unplug(), None, None, GOES,
            Q04, ""),
        Row([SPLIT, LEASED, Zcrx("lessee", 1)], Move("lessee"), None, None, MOVES, Q08,
            "nic 1: io-uring, lease; lessee 1: io-uring"),
        Row([LEASED, Xsk("lessee", 1)], Move("lessee"), None, None, NOTIFIER, Q08, L),
        Row([SPLIT, LEASED, Bind("lessee", (1,))], Move("lessee"), None, None, MOVES, Q08,
            "nic 1: dmabuf, lease; lessee 1: dmabuf"),
        Row([SPLIT, LEASED, Zcrx("lessee", 1)], Move("nic"), None, None, MOVES, Q08,
            "nic 1: io-uring, lease; lessee 1: io-uring"),
        Row([SPLIT, LEASED, Zcrx("lessee", 1), Link("nic", False)], Link("nic", True), None, None, "dev_open()",
            Q07, "nic 1: io-uring, lease; lessee 1: io-uring"),
        Row([LEASED, Xsk("lessee", 1), Link("lessee", False)], Link("lessee", True), None, None, "dev_open()",
            Q02, "nic 1: xsk, lease; lessee 1: xsk"),
    ],
    "NICs that are not netdevsim": [
        Row([Plug("mlx5_core"), SPLIT, LEASED], Zcrx("lessee", 1), None, None, "mlx5e_queue_mgmt_ops", None,
            "nic 1: io-uring, lease; lessee 1: io-uring"),
        Row([Plug("mlx5_core"), LEASED], Xsk("lessee", 1), None, None, "mlx5e_xsk_setup_pool()", None,
            "nic 1: xsk, lease; lessee 1: xsk"),
        Row([Plug("mlx5_core"), SPLIT, Link("nic", False)], Zcrx("nic", 0), "EOPNOTSUPP", None,
            "mlx5e_queue_get_dma_dev()", None),
        Row([Plug("mlx5_core", (("functions", 2),)), SPLIT], Bind("nic", (0, 2)), None, None, DMA, None,
            "nic 0: dmabuf; nic 2: dmabuf"),
        Row([Plug("mlx5_core", (("functions", 2),)), SPLIT], Bind("nic", (0, 1)), "EOPNOTSUPP",
            "DMA device mismatch between queue 1 and 0 (multi-PF device?)", DMA, None),
        Row([Plug("mlx5_core", (("functions", 2),)), SPLIT, LEASED, Lease(2)], Bind("lessee", (1, 2)), "EOPNOTSUPP",
            "DMA device mismatch between queue 2 and 1 (multi-PF device?)", DMA, None),
        Row([Plug("bnxt_en"), Rings(thresh=640)], Zcrx("nic", 0), "EINVAL", "hds-thresh is not zero", OPEN, None),
        Row([Plug("bnxt_en"), SPLIT, LEASED], Zcrx("lessee", 1, fields=(("rx_buf_len", 32768),
            ("contiguous", 1 << 20))),
            None, None, "bnxt_validate_qcfg()", None, "nic 1: io-uring, lease; lessee 1: io-uring"),
        Row([Plug("bnxt_en"), SPLIT], Zcrx("nic", 0, fields=(("rx_buf_len", 65536), ("contiguous", 1 << 20))), "ERANGE",
            None, "bnxt_validate_qcfg()", None),
        Row([Plug("bnxt_en"), SPLIT, Link("nic", False)], Zcrx("nic", 0), "ENETDOWN", None,
            "bnxt_queue_mem_alloc()", None),
        Row([Plug("bnxt_en"), LEASED], Xsk("lessee", 1), "EOPNOTSUPP", None, NETKIT_XSK, None),
        Row([Plug("bnxt_en"), LEASED], Xsk("lessee", 1, 0), None, None, NETKIT_XSK, None,
            "nic 1: xsk, lease; lessee 1: xsk"),
        Row([Plug("gve"), SPLIT, Link("nic", False)], Zcrx("nic", 0), "EAGAIN", None, "gve_rx_queue_mem_alloc()", None),
        Row([Plug("gve"), SPLIT], Zcrx("nic", 0), "ERANGE", None, "gve_rx_queue_stop()", None),
        Row([Plug("gve"), SPLIT], Zcrx("nic", 1), None, None, "gve_rx_queue_stop()", None, "nic 1: io-uring"),
        Row([Plug("gve")], Xsk("nic", 0), "EOPNOTSUPP", None, "gve_verify_xdp_configuration()", None),
        Row([Plug("mlx5_core"), SPLIT], Zcrx("nic", 0, fields=(("rx_buf_len", 131072), ("contiguous", 1 << 20))), None,
            None, "mlx5e_queue_validate_qcfg()", None, "nic 0: io-uring"),
        Row([Plug("mlx5_core"), SPLIT], Zcrx("nic", 0, fields=(("rx_buf_len", 262144), ("contiguous", 1 << 20))),
            "ERANGE", None, "mlx5e_queue_validate_qcfg()", None),
        Row([Plug("fbnic"), SPLIT, LEASED], Bind("lessee", (1,)), None, None, "fbnic_queue_mgmt_ops", None,
            "nic 1: dmabuf, lease; lessee 1: dmabuf"),
        Row([Plug("ice")], Lease(1), "EINVAL", "Lease device does not support queue management operations",
            "netdev_can_lease_queue()", None),
        Row([Plug("ice")], Xsk("nic", 0, 20, words=SEGMENTS), None, None, XSK_SOURCE, None, "nic 0: xsk"),
        Row([Plug("ice"), Link("nic", mtu=9000)], Xsk("nic", 0, 20, words=SEGMENTS), None, None, XSK_SOURCE,
            None, "nic 0: xsk"),
        Row([Plug("ice"), Link("nic", mtu=9000)], Xsk("nic", 0), "EINVAL", None, XSK_SOURCE, None),
        Row([Plug("ice")], Bind("nic", (0,)), "EOPNOTSUPP", None, BIND_RX, None),
        Row([Plug("ice")], BindTx("nic"), "EOPNOTSUPP", "Driver does not support netmem TX", BIND_TX, None),
        Row([Plug("mlx5_core", (("dma", False),)), SPLIT], Bind("nic", (0,)), "EOPNOTSUPP", NO_DMA,
            BIND, None),
        Row([Plug("mlx5_core", (("queue_mgmt", False),)), SPLIT], Zcrx("nic", 0), "EOPNOTSUPP", None, OPEN, None),
        Row([Plug("mlx5_core"), SPLIT, LEASED, Zcrx("lessee", 1)], Unplug(), None, None, GOES,
            None, ""),
    ],
}


def table() -> str:
    """The whole table, as it stands in the page."""
    lines: list[str] = []
    for title, rows in SECTIONS.items():
        lines += ["", f"### {title[0].upper()}{title[1:]}", ""]
        lines += ["| given | then | result | queue-get shows | source | trace |", "|---|---|---|---|---|---|"]
        for row in rows:
            given = "; ".join(map(str, row.given))
            result = "ok" if row.errno is None else row.errno + (f": {row.text}" if row.text else "")
            shows = "" if row.shows is None else row.shows or "nothing"
            lines.append(f"| {given} | {row.done} | {result} | {shows} | `{row.source}` | {row.trace or ''} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """The page with the table put into its place."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(FINISH)
    return f"{before}{BEGIN}\n{table()}\n{FINISH}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
