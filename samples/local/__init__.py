"""What ``--local`` runs the samples against: a local Entra, and stand-ins for the services that they call.

:func:`start` sets environment variables and changes nothing else. ``HTTPS_PROXY`` leads every client to
:mod:`local.proxy`, which answers for ``login.microsoftonline.com`` and the hosts of :mod:`local.services` and refuses
all others, so that nothing leaves this computer. Stand-ins verify the signature, lifetime and audience of tokens, and
say so in lines that begin with ``--local:``.
"""


def start(*stand_ins: str, visit: str | None = None) -> None:
    """Lead this process, and those that it starts, to the local Entra and the stand-ins.

    :param stand_ins: modules of this package to start as well, for what is not plain HTTPS, such as ``"postgres"``.
    :param visit: for a sample that is a server: the path to call as a signed-in user. The answer is printed, and the
        server then interrupted as by Ctrl-C.
    :raises ImportError: the extra ``testing`` is not installed.
    :raises SystemExit: a program that a stand-in needs is not installed; the message names it.
    """
    # Here, so that a sample without --local does without the extra.
    from local import stage

    stage.build(stand_ins, visit)


def renew_secret() -> None:
    """Renew the secret that the stand-in ``"kubelet"`` has mounted."""
    from local import kubelet

    kubelet.renew()
