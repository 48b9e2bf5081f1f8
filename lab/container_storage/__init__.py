"""Stand-ins for REX-Ray, dvdcli and Marathon: their files, arguments and settings as the real ones take them."""
