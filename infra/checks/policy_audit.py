"""parliament, on policies of plain ARNs: {holder: policy} in, as JSON on stdin, {holder: findings} out.

Run by the Python of .audit, whose pins hold parliament.
"""

import json
import sys
import warnings


def main() -> None:
    """Judge each policy; a finding is its issue and what parliament says about it."""
    warnings.simplefilter("ignore")
    from parliament import analyze_policy_string

    judged = {
        holder: [f"{finding.issue} {finding.detail}" for finding in analyze_policy_string(json.dumps(policy)).findings]
        for holder, policy in json.load(sys.stdin).items()
    }
    json.dump(judged, sys.stdout)


if __name__ == "__main__":
    main()
