"""uapi/linux/if_addrlabel.h."""

IFAL_MAX = 2
