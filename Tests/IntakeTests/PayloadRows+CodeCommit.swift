/// Only what is in the form that comes over HTTP; `CodeCommitTests` reads the other files.
let codeCommitRows: [PayloadRow] = [
    PayloadRow(
        file: "aws-codecommit/sqs-sns-message-1.json",
        headers: ["x-amz-sns-message-type": "Notification", "Content-Type": "text/plain; charset=UTF-8"],
        host: "codecommit", address: "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/cicd-mgmt",
        pushes: ["refs/heads/master ee36dc002055a40d9660b2bb19fd8d6ef2d77cd0"])
]
