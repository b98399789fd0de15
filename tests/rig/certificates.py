"""Certificates for the rig's TLS listeners, good and bad ones, made on the spot."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KINDS = ("valid", "expired", "wrong-name", "self-signed")


@dataclass(frozen=True)
class Pair:
    """PEM files of one certificate (with its chain) and its key."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority that lives as long as a test session. `file` is what a client has to trust."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Letterdesk test authority")])
        self.certificate = self._sign(self.name, self.key.public_key(), is_authority=True)
        self.file = folder / "authority.pem"
        self.file.write_bytes(_pem(self.certificate))
        self._pairs: dict[str, Pair] = {}

    def pair(self, kind: str = "valid") -> Pair:
        """A certificate of one of KINDS, for localhost and 127.0.0.1 unless its name is the wrong one."""
        if kind not in self._pairs:
            self._pairs[kind] = self._make(kind)
        return self._pairs[kind]

    def _make(self, kind: str) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        host = "mail.elsewhere.example" if kind == "wrong-name" else "localhost"
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        signer = key if kind == "self-signed" else None
        certificate = self._sign(subject, key.public_key(), host=host, expired=kind == "expired", signer=signer)
        pair = Pair(self.folder / f"{kind}.crt", self.folder / f"{kind}.key")
        pair.certificate.write_bytes(_pem(certificate))
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return pair

    def _sign(self, subject, public_key, *, host="", expired=False, signer=None, is_authority=False):
        now = datetime.now(UTC)
        ends = now - timedelta(days=1) if expired else now + timedelta(days=30)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if signer else self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key((signer or self.key).public_key()), False)
        )
        if host:
            names = [x509.DNSName(host)]
            if host == "localhost":
                names.append(x509.IPAddress(ip_address("127.0.0.1")))
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        if is_authority:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(signer or self.key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
