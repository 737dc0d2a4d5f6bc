//! Writing contacts into a file, block by block.

use domain::contact::Contact;
use domain::identity::Identity;
use domain::{ReportFormat, TenantId};
use jiff::Timestamp;
use ops::Result;
use store::transfers::{Transfer, TransferKey, Way};
use tables::{Csv, TableWriter, Xlsx, neutral};

use super::{Export, job};
use crate::parts::PartFile;
use crate::{ContactFiles, FileState, Stopped};

/// The columns. The file is imported again with them as they are.
const HEADER: [&str; 13] = [
    "id",
    "name",
    "phone",
    "email",
    "tags",
    "external_id",
    "metadata",
    "opt_in_at",
    "opt_in_source",
    "opted_out_at",
    "created_at",
    "updated_at",
    "identities",
];

/// Writes the file of an export from where it is, block by block, until it is done or
/// `out_of_time` says so; then the job follows itself. Of two copies of a job the one that
/// came last goes on.
///
/// # Errors
/// [`ops::Code::Unavailable`]: the job comes again.
pub async fn run(
    files: &ContactFiles,
    tenant: &TenantId,
    id: &str,
    leg: u64,
    generation: u32,
    out_of_time: impl Fn() -> bool,
) -> Result<()> {
    let of = TransferKey { way: Way::Export, tenant, id };
    let taken: Transfer<Export> = match files.store.take_transfer(of, leg).await {
        Ok(taken) => taken,
        Err(store::Error::Conflict) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if taken.state.state.is_over() {
        return Ok(());
    }
    let mut run = Run { files, of, take: taken.take, export: taken.state };
    let made = match run.export.options.format() {
        ReportFormat::Csv => run.make::<Csv>(out_of_time).await,
        ReportFormat::Xlsx => run.make::<Xlsx>(out_of_time).await,
    };
    match made {
        Ok(true) => Ok(()),
        Ok(false) => Ok(files.queues.campaign(job(tenant, id, leg + 1), generation + 1).await?),
        Err(Stopped::Failed(error)) => Err(error),
        Err(Stopped::Replaced | Stopped::Cancelled | Stopped::Wrong(_)) => Ok(()),
    }
}

struct Run<'a> {
    files: &'a ContactFiles,
    of: TransferKey<'a>,
    take: u64,
    export: Export,
}

impl Run<'_> {
    /// Answers whether the file is finished.
    async fn make<W: TableWriter>(
        &mut self,
        out_of_time: impl Fn() -> bool,
    ) -> std::result::Result<bool, Stopped> {
        let (mut file, mut writer) = self.begin::<W>();
        file.resume(&self.files.bucket).await?;
        let (store, bucket, tenant) = (&self.files.store, &self.files.bucket, self.of.tenant);
        let (filter, mime) = (self.export.options.filter(), self.export.options.format().mime());
        self.export.state = FileState::Running;
        let blocks = store.contact_blocks(tenant).await?;
        for block in blocks.into_iter().filter(|block| *block >= self.export.block).collect::<Vec<_>>() {
            for contact in store.block_contacts(tenant, block, &filter).await? {
                writer.write(&line(&contact));
                self.export.rows += 1;
            }
            let is_over = out_of_time();
            if is_over || file.is_full(writer.bytes()) {
                file.write(writer.part());
                if !file.flush(bucket, mime).await? && is_over {
                    file.leave(bucket, mime, self.take).await?;
                }
                // A process that comes after goes on here.
                self.export.block = block + 1;
                self.export.writer = Some(writer.state());
                self.export.draft = Some(file.clone());
                self.save().await?;
            }
            if is_over {
                return Ok(false);
            }
        }
        file.write(writer.end());
        self.export.file = Some(file.finish(bucket, mime).await?);
        (self.export.draft, self.export.writer) = (None, None);
        self.export.state = FileState::Finished;
        self.export.finished_ms = Some(store.clock().now_ms());
        self.save().await?;
        Ok(true)
    }

    /// Where the last process left off, or a new file.
    fn begin<W: TableWriter>(&mut self) -> (PartFile, W) {
        let left = self.export.draft.take().zip(self.export.writer.as_deref().and_then(W::resume));
        left.unwrap_or_else(|| {
            (self.export.block, self.export.rows) = (0, 0);
            let (tenant, id, format) = (self.of.tenant, self.of.id, self.export.options.format());
            let object = format!("{tenant}/export-{id}-{}.{}", self.take, format.as_str());
            (PartFile::begin(object), W::begin(&HEADER, "Contacts"))
        })
    }

    async fn save(&self) -> std::result::Result<(), Stopped> {
        self.files.store.save_transfer(self.of, self.take, &self.export).await?;
        Ok(())
    }
}

/// A contact as a row.
fn line(contact: &Contact) -> [String; HEADER.len()] {
    let text = |text: Option<&str>| text.map(neutral).unwrap_or_default().into_owned();
    let time = |ms: Option<i64>| {
        ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()).map(rfc3339).unwrap_or_default()
    };
    let external = contact.aliases.iter().find(|identity| matches!(identity, Identity::External(_)));
    let metadata = match contact.metadata.is_empty() {
        true => String::new(),
        false => serde_json::to_string(&contact.metadata).unwrap_or_default(),
    };
    let consent = &contact.consent;
    [
        contact.id.to_string(),
        text(contact.name.as_deref()),
        contact.phone.as_ref().map(|phone| phone.as_str().to_owned()).unwrap_or_default(),
        text(contact.email.as_ref().map(|email| email.as_str())),
        text(Some(&tags(&contact.tags))),
        text(external.map(Identity::value)),
        metadata,
        time(consent.opt_in.as_ref().map(|proof| proof.at_ms)),
        text(consent.opt_in.as_ref().map(|proof| proof.source.as_str())),
        time(consent.opt_out.as_ref().map(|proof| proof.at_ms)),
        rfc3339(contact.created_at),
        rfc3339(contact.updated_at),
        identities(contact, external),
    ]
}

/// What else they are known by, as an array of JSON; empty when there is nothing.
fn identities(contact: &Contact, external: Option<&Identity>) -> String {
    let is_told = |identity: &Identity| {
        let phone = contact.phone.as_ref().map(Identity::from);
        let email = contact.email.as_ref().map(|email| Identity::Email(email.identity()));
        [phone.as_ref(), email.as_ref(), external].contains(&Some(identity))
    };
    let others = contact.identities().into_iter().filter(|identity| !is_told(identity));
    let others: Vec<String> = others.map(|identity| identity.encode()).collect();
    match others.is_empty() {
        true => String::new(),
        false => serde_json::to_string(&others).unwrap_or_default(),
    }
}

fn rfc3339(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// With commas, or as JSON where a tag has what stands between tags.
fn tags(tags: &[String]) -> String {
    match tags.iter().any(|tag| tag.contains([',', ';', '|', '['])) {
        true => serde_json::to_string(tags).unwrap_or_default(),
        false => tags.join(", "),
    }
}
