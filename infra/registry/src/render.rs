//! The parts of the templates, of the build and of the documents that say what the
//! registry says, as text.

use std::fmt::Write as _;

use queue::{PARKED, Queue};

use crate::{ALL, AtOnce, Client, Function, Jobs, Trigger};

/// What reads items, in IAM's words.
const READS: &str = "dynamodb:GetItem, dynamodb:BatchGetItem, dynamodb:Query, dynamodb:ConditionCheckItem";
/// What writes them. The store deletes and inserts in batches by statements.
const WRITES: &str = "dynamodb:PutItem, dynamodb:UpdateItem, dynamodb:DeleteItem, dynamodb:PartiQLInsert, \
                      dynamodb:PartiQLUpdate, dynamodb:PartiQLDelete";
/// Widest line of a list.
const WIDTH: usize = 118;

/// A name of CloudFormation: words without dashes, each with a capital.
pub fn camel(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}

/// Items with commas between them, in lines of bounded width.
fn wrapped<'a>(indent: usize, items: impl IntoIterator<Item = &'a str>) -> String {
    let (mut text, mut line) = (String::new(), String::new());
    let pad = " ".repeat(indent);
    for item in items {
        if !line.is_empty() && indent + line.len() + item.len() + 3 > WIDTH {
            text += &format!("{pad}{},\n", line);
            line.clear();
        }
        if !line.is_empty() {
            line += ", ";
        }
        line += item;
    }
    text + &format!("{pad}{line}\n")
}

/// The resources of the functions of the API, or of all others.
pub fn functions(api: bool) -> String {
    let chosen = ALL.iter().filter(|function| function.is_api() == api);
    chosen.map(|function| format!("\n{}", resources(function))).collect()
}

/// The resources of a function: its logs, its role, itself, and what calls it.
fn resources(function: &Function) -> String {
    let (id, name) = (camel(function.name), function.name);
    let mut yaml = format!("  # {name}: {}\n", function.about.to_lowercase());
    yaml += &format!(
        "  {id}Logs:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub /aws/lambda/${{AWS::StackName}}-{name}
      RetentionInDays: !Ref LogRetentionDays
  {id}Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        {{Version: \"2012-10-17\", Statement: [{{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: sts:AssumeRole}}]}}
      Policies:
        - PolicyName: {name}
          PolicyDocument:
            Version: \"2012-10-17\"
            Statement:
"
    );
    yaml += &statements(function);
    yaml += &itself(function);
    if function.is_api() {
        yaml += &integration(function);
    }
    yaml
}

fn statement(sid: &str, action: &str, resource: &str) -> String {
    format!(
        "              - Sid: {sid}\n                Effect: Allow\n                Action: {action}\n                \
         Resource: {resource}\n"
    )
}

fn queues(queues: &[Queue]) -> String {
    let arn = |queue: &Queue| format!("!GetAtt {}Queue.Arn", camel(queue.as_str()));
    match queues {
        [one] => arn(one),
        several => several.iter().map(|queue| format!("\n                  - {}", arn(queue))).collect(),
    }
}

/// The statements of a function's policy.
fn statements(function: &Function) -> String {
    let id = camel(function.name);
    let logs = format!("!GetAtt {id}Logs.Arn");
    let mut yaml = statement("Logs", "[logs:CreateLogStream, logs:PutLogEvents]", &logs);
    if function.clients.contains(&Client::Secret) {
        yaml += &statement("Secret", "secretsmanager:GetSecretValue", "!GetAtt RootSecret.Id");
    }
    if let Some(Jobs { queue, .. }) = function.jobs() {
        let queue = camel(queue.as_str());
        let actions = "[sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes]";
        yaml += &statement("Trigger", actions, &format!("!GetAtt {queue}Queue.Arn"));
        yaml += &statement("Park", "sqs:SendMessage", &format!("!GetAtt {queue}Dlq.Arn"));
    }
    if !function.feeds.is_empty() {
        let jobs = statement("Jobs", "sqs:SendMessage", &queues(function.feeds));
        yaml += &jobs.replace("Resource: \n", "Resource:\n");
    }
    for objects in function.objects {
        let actions: Vec<String> = objects.actions.iter().map(|action| format!("s3:{action}")).collect();
        let resource = match objects.prefix {
            "" => "!GetAtt MediaBucket.Arn".to_owned(),
            prefix => format!("!Sub ${{MediaBucket.Arn}}/{prefix}/*"),
        };
        let sid = format!("Objects{}", camel(objects.prefix));
        yaml += &statement(&sid, &format!("[{}]", actions.join(", ")), &resource);
    }
    if function.clients.contains(&Client::Schedules) {
        let group = "!Sub arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/${CampaignSchedules}/*";
        yaml += &statement("Schedules", "[scheduler:CreateSchedule, scheduler:DeleteSchedule]", group);
        yaml += &statement("ScheduleRole", "iam:PassRole", "!GetAtt CampaignScheduleRole.Arn");
        yaml += "                Condition: {StringEquals: {iam:PassedToService: scheduler.amazonaws.com}}\n";
    }
    let index = if function.lists_conversations {
        "[!GetAtt Table.Arn, !Sub \"${Table.Arn}/index/conversation\"]"
    } else {
        "!GetAtt Table.Arn"
    };
    // One request may read items of both, and all of them have to be in one statement.
    yaml += &on_table("ReadTable", READS, index, &function.kinds());
    if !function.writes.is_empty() {
        yaml += &on_table("WriteTable", WRITES, "!GetAtt Table.Arn", function.writes);
    }
    yaml
}

fn on_table(sid: &str, actions: &str, resource: &str, kinds: &[store::Kind]) -> String {
    let mut names: Vec<String> = kinds.iter().map(|kind| format!("\"{kind}#*\"")).collect();
    names.sort();
    let actions = wrapped(20, actions.split(", "));
    let keys = wrapped(24, names.iter().map(String::as_str));
    format!(
        "              - Sid: {sid}
                Effect: Allow
                Action:
                  [
{actions}                  ]
                Resource: {resource}
                Condition:
                  ForAllValues:StringLike:
                    dynamodb:LeadingKeys:
                      [
{keys}                      ]
"
    )
}

/// The function's own resource.
fn itself(function: &Function) -> String {
    let (id, name, about) = (camel(function.name), function.name, function.about);
    let mut yaml = format!(
        "  {id}Function:
    Type: AWS::Serverless::Function
    Properties:
      Description: {about}
      FunctionName: !Sub ${{AWS::StackName}}-{name}
      CodeUri: ../target/lambda/{name}/
      Role: !GetAtt {id}Role.Arn
      LoggingConfig: {{LogFormat: JSON, LogGroup: !Ref {id}Logs}}
      MemorySize: {}
      Timeout: {}
",
        function.memory_mb, function.timeout_s
    );
    if function.feeds_itself() {
        yaml += "      # It goes on in the next call; every job carries a generation with a cap.\n";
        yaml += "      RecursiveLoop: Allow\n";
    }
    match function.trigger {
        Trigger::Http => {}
        Trigger::Jobs(jobs) => yaml += &event_source(jobs),
        Trigger::EveryMinute => yaml += EVERY_MINUTE,
    }
    yaml += "      Environment:\n        Variables:\n";
    for name in function.environment() {
        yaml += &format!("          {name}: {}\n", value(name));
    }
    yaml
}

const EVERY_MINUTE: &str = "      # The next minute is the retry.
      EventInvokeConfig: {MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60}
      Events:
        Minute:
          Type: ScheduleV2
          Properties:
            Name: !Sub ${AWS::StackName}-tick # SAM's own name would be the same in every stack
            ScheduleExpression: rate(1 minute)
            RetryPolicy: {MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60}
";

fn event_source(jobs: Jobs) -> String {
    let mut yaml = format!(
        "      Events:
        Jobs:
          Type: SQS
          Properties:
            Queue: !GetAtt {}Queue.Arn
            BatchSize: {}
",
        camel(jobs.queue.as_str()),
        jobs.batch
    );
    if jobs.window_s > 0 {
        yaml += &format!("            MaximumBatchingWindowInSeconds: {}\n", jobs.window_s);
    }
    yaml += "            FunctionResponseTypes: [ReportBatchItemFailures]\n";
    let at_once = match jobs.at_once {
        AtOnce::Unbounded => return yaml,
        AtOnce::UpTo(most) => most.to_string(),
        // The emulator takes a parameter's number for text.
        AtOnce::Parameter(name, most) => format!("!If [Emulated, {most}, !Ref {name}]"),
    };
    yaml + &format!("            ScalingConfig: {{MaximumConcurrency: {at_once}}}\n")
}

/// What a variable of the environment is set to.
fn value(name: &str) -> String {
    match name {
        "TABLE_NAME" => "!Ref Table".to_owned(),
        "SECRET_ID" => "!GetAtt RootSecret.Id".to_owned(),
        "META_GRAPH_URL" => "!Ref MetaGraphUrl".to_owned(),
        "BASE_URL" => "!If [OwnUrl, !Ref BaseUrl, !GetAtt Api.ApiEndpoint]".to_owned(),
        "MEDIA_BUCKET" => "!Ref MediaBucket".to_owned(),
        "OUTBOUND_ALLOW" => "!Ref OutboundAllow".to_owned(),
        "CAMPAIGN_QUEUE_ARN" => "!GetAtt CampaignQueue.Arn".to_owned(),
        "SCHEDULE_GROUP" => "!Ref CampaignSchedules".to_owned(),
        "SCHEDULE_ROLE_ARN" => "!GetAtt CampaignScheduleRole.Arn".to_owned(),
        queue => {
            let of = Queue::ALL.into_iter().find(|of| of.variable() == queue);
            format!("!Ref {}Queue", of.map_or_else(String::new, |of| camel(of.as_str())))
        }
    }
}

fn integration(function: &Function) -> String {
    let id = camel(function.name);
    format!(
        "  {id}Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !GetAtt {id}Function.Arn
      PayloadFormatVersion: \"2.0\"
      TimeoutInMillis: 30000
  {id}Permission:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref {id}Function
      Principal: apigateway.amazonaws.com
      SourceArn: !Sub arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/*
"
    )
}

/// The queues of the workers and what they park jobs in.
pub fn queue_resources() -> String {
    let mut yaml = String::new();
    for function in ALL {
        let Some(Jobs { queue, window_s, .. }) = function.jobs() else { continue };
        let (id, name, timeout) = (camel(queue.as_str()), queue.as_str(), function.timeout_s);
        let window = if window_s > 0 { ", and the window of its batches" } else { "" };
        let visibility = timeout * 6 + window_s;
        yaml += &format!(
            "
  {id}Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub ${{AWS::StackName}}-{name}
      VisibilityTimeout: {visibility} # six times the worker's {timeout} s{window}
      SqsManagedSseEnabled: true
      RedrivePolicy: {{deadLetterTargetArn: !GetAtt {id}Dlq.Arn, maxReceiveCount: 5}}
  {id}Dlq:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub ${{AWS::StackName}}-{name}{PARKED}
      MessageRetentionPeriod: 1209600
      SqsManagedSseEnabled: true
"
        );
    }
    yaml
}

/// The URLs of the queues, as outputs.
pub fn queue_outputs() -> String {
    let output = |id: String| format!("  {id}Url:\n    Value: !Ref {id}\n");
    let of = |queue: Queue| ["Queue", "Dlq"].map(|what| output(camel(queue.as_str()) + what)).concat();
    Queue::ALL.map(of).concat()
}

const TELL: &str = "      AlarmActions: !If [Tells, [!If [GivenTopic, !Ref AlarmTopicArn, !Ref AlarmTopic]], !Ref AWS::NoValue]\n";

/// An alarm for each queue whose jobs are parked.
pub fn parked_alarms() -> String {
    let alarm = |queue: Queue| {
        let (id, name) = (camel(queue.as_str()), queue.as_str());
        format!(
            "
  Parked{id}:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Sub ${{Prefix}}-parked-{name}
      AlarmDescription: A job of the queue {name} is parked
      Namespace: AWS/SQS
      MetricName: ApproximateNumberOfMessagesVisible
      Dimensions: [{{Name: QueueName, Value: !Sub \"${{Prefix}}-{name}{PARKED}\"}}]
      Statistic: Maximum
      Period: 60
      EvaluationPeriods: 1
      Threshold: 0
      ComparisonOperator: GreaterThanThreshold
      TreatMissingData: notBreaching
{TELL}"
        )
    };
    Queue::ALL.map(alarm).concat()
}

/// An alarm for each function that fails.
pub fn error_alarms() -> String {
    let alarm = |function: &&Function| {
        let (id, name) = (camel(function.name), function.name);
        format!(
            "
  {id}Errors:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Sub ${{Prefix}}-errors-{name}
      AlarmDescription: The function {name} fails
      Namespace: AWS/Lambda
      MetricName: Errors
      Dimensions: [{{Name: FunctionName, Value: !Sub \"${{Prefix}}-{name}\"}}]
      Statistic: Sum
      Period: 300
      EvaluationPeriods: 1
      Threshold: 0
      ComparisonOperator: GreaterThanThreshold
      TreatMissingData: notBreaching
{TELL}"
        )
    };
    ALL.iter().map(alarm).collect()
}

/// The `-p` arguments that name every function.
pub fn packages() -> String {
    let arguments: Vec<String> =
        ALL.iter().map(|function| format!("\"-p\", \"{}\"", function.name)).collect();
    let mut text = wrapped(2, arguments.iter().map(String::as_str));
    text.insert(text.len() - 1, ',');
    text
}

/// What the archives may weigh, as JSON.
pub fn budgets() -> String {
    let lines: Vec<String> =
        ALL.iter().map(|function| format!("    \"{}\": {}", function.name, function.zipped_max)).collect();
    format!("{{\n  \"zipped\": {{\n{}\n  }}\n}}\n", lines.join(",\n"))
}

/// A table of all functions, in Markdown.
pub fn table() -> String {
    let mut text = String::from(
        "| function | for | started by | feeds | of the bucket | reaches | writes | only reads |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let kinds = |kinds: &[store::Kind]| {
        let mut names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        names.sort_unstable();
        names.join(" ")
    };
    for function in ALL {
        let trigger = match function.trigger {
            Trigger::Http => "requests".to_owned(),
            Trigger::Jobs(jobs) => format!("`{}`, {} at a time", jobs.queue.as_str(), jobs.batch),
            Trigger::EveryMinute => "every minute".to_owned(),
        };
        let feeds: Vec<String> = function.feeds.iter().map(|queue| format!("`{}`", queue.as_str())).collect();
        let clients: Vec<String> =
            function.clients.iter().map(|client| format!("{client:?}").to_lowercase()).collect();
        let objects = function.objects.iter().map(|objects| match objects.prefix {
            "" => objects.actions.join(", "),
            prefix => format!("`{prefix}/` {}", objects.actions.join(", ")),
        });
        let _infallible = writeln!(
            text,
            "| {} | {} | {trigger} | {} | {} | {} | {} | {} |",
            function.name,
            function.about,
            feeds.join(" "),
            objects.collect::<Vec<_>>().join("; "),
            clients.join(", "),
            kinds(function.writes),
            kinds(function.reads)
        );
    }
    text
}
