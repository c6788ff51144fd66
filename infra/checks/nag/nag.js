// Judges plain CloudFormation templates by the rules of cdk-nag: node nag.js TEMPLATE.json... prints {template: findings}.
// A finding is [rule, logical id, what is wrong]; explanations are matched by whoever calls this.
const { App, Stack } = require("aws-cdk-lib");
const { CfnInclude } = require("aws-cdk-lib/cloudformation-include");
const { HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks } = require("cdk-nag");

const PACKS = [HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks];

function findings(templateFile) {
  const app = new App({ analyticsReporting: false });
  new CfnInclude(new Stack(app, "Stack"), "Template", { templateFile });
  const found = [];
  let applied = 0;
  for (const Pack of PACKS) {
    const pack = new Pack(app, { verbose: true });
    const apply = pack.applyRule.bind(pack);
    pack.applyRule = (rule) => {
      applied += 1;
      apply(rule);
    };
    for (const violation of pack.validateScope(app).violations) {
      for (const resource of violation.violatingResources) {
        found.push([violation.ruleName, resource.constructPath.split("/").pop(), violation.description]);
      }
    }
  }
  return { applied, found };
}

const told = Object.fromEntries(process.argv.slice(2).map((template) => [template, findings(template)]));
process.stdout.write(JSON.stringify(told));
