"""The daemons that stand in for ScaleIO on lab hosts: MDM cluster, SDS, SDC, LIA and the Gateway service."""
