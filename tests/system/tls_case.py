"""A server that trusts an authority of the tests' own."""

from harness import ServerCase
from peers import Certificates


class TlsCase(ServerCase):
    """`certificates` signs for the authority; `good` is what it signed for localhost."""

    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates()
        cls.addClassCleanup(cls.certificates.close)
        cls.good = cls.certificates.signed("good")
        cls.CONFIG = f'[client]\nca_file = "{cls.certificates.ca}"\n'
        super().setUpClass()
