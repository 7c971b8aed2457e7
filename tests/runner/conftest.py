from support.fixtures import certificate, https, s3, s3_server

__all__ = ["certificate", "https", "s3", "s3_server"]
