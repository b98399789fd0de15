"""Hands a letter to an SMTP server as a stranger's server would."""

import smtplib


def hand_over(port: int, sender: str, recipient: str, raw: bytes) -> tuple[int, str]:
    """The server's refusal of the recipient, code and text; (250, "") where the letter is taken."""
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as smtp:
        try:
            smtp.sendmail(sender, [recipient], raw)
        except smtplib.SMTPRecipientsRefused as refused:
            [(code, text)] = refused.recipients.values()
            return code, text.decode()
    return 250, ""
