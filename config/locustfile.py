# The master's side of `standin load --locust MASTER`: what Locust's master may spawn, and in which proportion.
#
#   locust -f locustfile.py --master                              the master, with its web page on port 8089
#   standin load scenario.toml --locust MASTER:5557               a worker; as many as you like, on any machines
#
# None of this Python ever runs for a caller: the workers are Standin's, and the scenario they are started with says
# where callers go and what they are like. A master wants to have classes all the same, and their names are what a
# worker goes by. Take out those that you do not want. `weight` is the share of each; `fixed_count = N` instead gives
# exactly N of a class.
#
# What Locust counts as requests:
#
#   JOIN total              a whole join, until media flowed; fails with the reason
#   JOIN token, sdp, …      the steps of joining, each with the time until it was reached
#   JOIN no room            joins that were refused for want of room or licences: a limit found, not a failure
#   POST request_token, …   each request of the client API
#   GET events              event streams that were lost
#   CALL stay               callers that were in; fails with the reason if one lost its call or was thrown out

from locust import User, task


class Caller(User):
    abstract = True

    @task
    def call(self):
        raise NotImplementedError("callers are spawned by workers of Standin: standin load --locust MASTER")


class Listener(Caller):
    """Is in the conference, receives, and sends silence; with video, a slate as well."""

    weight = 7


class Talker(Caller):
    """Plays the sound of the scenario (`audio`, `--audio`)."""

    weight = 1


class VideoSender(Caller):
    """Plays sound and picture. Wants a scenario with video (`video`, `--video`), hence none by default."""

    weight = 0


class Churner(Caller):
    """Listens for `stay_seconds`, leaves, and comes back after `away_seconds`."""

    weight = 1
