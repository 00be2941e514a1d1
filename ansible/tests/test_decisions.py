"""The decisions of the playbooks: python -m unittest discover ansible/tests."""

import importlib.util
import pathlib
import unittest

PLUGIN = pathlib.Path(__file__).parents[1] / "filter_plugins" / "bigtix.py"
SPEC = importlib.util.spec_from_file_location("bigtix", PLUGIN)
bigtix = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(bigtix)

DIGEST = "sha256:" + "0" * 64
ENTRY = {"version": "1.1.0", "services": {"auth": "1.0.0", "orders": "1.1.0"}}


def shop(generation=2, observed=2, current="1.1.0", history=(), **conditions):
    return {
        "metadata": {"generation": generation},
        "spec": {"version": "1.1.0"},
        "status": {
            "observedGeneration": observed,
            "version": {"current": current},
            "history": list(history),
            "conditions": [
                {"type": kind, "status": status, "reason": reason, "message": message}
                for kind, (status, reason, message) in conditions.items()
            ],
        },
    }


READY = ("True", "AsExpected", "release 1.1.0 serves users")


class Verdicts(unittest.TestCase):
    def assert_stands(self, resource, state, *words):
        verdict = bigtix.verdict(resource)
        self.assertEqual(verdict["state"], state, verdict["sentence"])
        self.assertEqual(verdict["over"], state != "going")
        for word in words:
            self.assertIn(word, verdict["sentence"])

    def test_a_shop_that_serves_what_is_asked_for_is_settled(self):
        self.assert_stands(shop(Ready=READY), "settled", "release 1.1.0 serves users")

    def test_a_status_of_before_the_change_says_nothing(self):
        self.assert_stands(shop(observed=1, Ready=READY), "going")

    def test_a_resource_without_a_status_is_waited_for(self):
        self.assert_stands({"metadata": {"generation": 1}, "spec": {"version": "1.1.0"}}, "going")

    def test_another_release_that_serves_users_is_not_the_one_asked_for(self):
        self.assert_stands(shop(current="1.0.0", Ready=READY), "going")

    def test_a_release_that_was_taken_back_failed_and_says_why(self):
        resource = shop(
            current="1.0.0",
            history=[{"result": "RolledBack", "reason": "ImagePulled: orders:1.1.0 cannot be pulled"}],
            Ready=("False", "RolledBack", "1.1.0 was taken back"),
            Progressing=("False", "RolledBack", "1.1.0 was taken back"),
        )
        self.assert_stands(resource, "failed", "RolledBack", "1.1.0 was taken back", "orders:1.1.0 cannot be pulled")

    def test_a_first_release_that_cannot_go_on_failed(self):
        resource = shop(
            current=None,
            Ready=("False", "RollingOut", "x"),
            Progressing=("False", "Failed", "NoRestarts: auth crashes"),
        )
        self.assert_stands(resource, "failed", "auth crashes")

    def test_a_release_that_the_operator_refuses_failed(self):
        for reason in ("InvalidSpec", "UnsupportedStep", "PointOfNoReturn"):
            self.assert_stands(shop(current="1.0.0", Ready=("False", reason, "no way")), "failed", "no way")

    def test_what_waits_for_a_person_is_held(self):
        for reason in ("Paused", "WaitingForApproval", "WindowOpen"):
            self.assert_stands(shop(current="1.0.0", Ready=("False", reason, "at one")), "held", "at one")

    def test_a_rollout_under_way_is_waited_for(self):
        resource = shop(current="1.0.0", Ready=("False", "RollingOut", "x"), Progressing=("True", "RollingOut", "x"))
        self.assert_stands(resource, "going")


class Releases(unittest.TestCase):
    def test_a_release_alone_is_asked_for_by_its_number(self):
        asked = bigtix.release(ENTRY, ENTRY["services"], {}, "example.test/bigtix")
        self.assertEqual(asked, {"version": "1.1.0", "services": {}})

    def test_only_what_differs_from_the_release_is_named(self):
        asked = bigtix.release(ENTRY, {"auth": "1.0.0", "orders": "1.1.1"}, {}, "example.test/bigtix")
        self.assertEqual(asked["services"], {"orders": {"version": "1.1.1"}})

    def test_images_are_named_by_digest_where_one_is_known(self):
        asked = bigtix.release(ENTRY, ENTRY["services"], {"orders": DIGEST}, "example.test/bigtix")
        self.assertEqual(asked["services"], {"orders": {"image": f"example.test/bigtix/orders:1.1.0@{DIGEST}"}})

    def test_a_digest_of_the_release_is_not_said_twice(self):
        entry = ENTRY | {"digests": {"orders": DIGEST}}
        asked = bigtix.release(entry, ENTRY["services"], {"orders": DIGEST}, "example.test/bigtix")
        self.assertEqual(asked["services"], {})

    def test_asking_and_reading_agree(self):
        asked = bigtix.release(ENTRY, {"auth": "1.0.1", "orders": "1.1.0"}, {"orders": DIGEST}, "example.test/bigtix")
        services = {**asked["services"], "web": {"replicas": 2}}
        read = bigtix.release_of({"version": "1.1.0", "services": services, "reservationSeconds": 5})
        self.assertEqual(read, asked)

    def test_what_somebody_else_named_is_taken_out(self):
        asked = {"version": "1.1.0", "services": {"orders": {"version": "1.1.1"}}}
        current = {"version": "1.0.0", "services": {"orders": {"image": "x"}, "web": {"version": "1", "replicas": 2}}}
        expected = {"orders": {"image": None, "version": "1.1.1"}, "web": {"version": None}}
        self.assertEqual(bigtix.patch(asked, current), {"version": "1.1.0", "services": expected})

    def test_a_new_shop_is_asked_for_without_absent_fields(self):
        asked = {"version": "1.1.0", "services": {}}
        self.assertEqual(bigtix.patch(asked, None), {"version": "1.1.0"})

    def test_a_release_and_its_services_are_compared_both_ways(self):
        self.assertEqual(bigtix.mismatches(ENTRY, ENTRY["services"]), [])
        found = bigtix.mismatches(ENTRY, {"auth": "1.0.1", "web": "1.0.0"})
        self.assertEqual(len(found), 3)
        self.assertIn("auth is 1.0.1 and 1.0.0 in release 1.1.0", found)


if __name__ == "__main__":
    unittest.main()
